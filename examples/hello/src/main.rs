//! Says hello with what came through the door.

fn main() {
    let greeting = serde_json::json!({ "hello": "tidegate" });
    let words = regex::Regex::new("[a-z]+").expect("a valid expression");
    println!("{greeting} has {} words", words.find_iter(&greeting.to_string()).count());
}
