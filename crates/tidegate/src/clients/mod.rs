//! What each client needs in order to use the door.
