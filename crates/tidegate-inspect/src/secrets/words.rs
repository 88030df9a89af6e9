//! Tells words from random characters, by which letter follows which.

/// How often one letter follows another in names and prose: 5 is as often as by chance, each step doubles or halves. The
/// row is the first letter, the column the second.
const FOLLOWS: [&[u8; 26]; 26] = [
    b"16761452614867060878544452",
    b"52315000630621500453600031",
    b"71537317606531831657521030",
    b"63258332700433520563531230",
    b"74786653513778465987354740",
    b"51226520700523600534500130",
    b"40207135500435400543501031",
    b"61127110600231600434400030",
    b"65766660223669762578160406",
    b"20004000201000300020200000",
    b"30126220500202100152200010",
    b"72368321802712730355531061",
    b"75227210600352670153522030",
    b"63777581604435640278552032",
    b"45663451524678560866756300",
    b"72237214503621651756511030",
    b"00000000000300000100500000",
    b"83559451805465740676643050",
    b"52628326704443663378623150",
    b"73549316800542740876523260",
    b"55535430500657250666010102",
    b"60207010600020400110000000",
    b"50015014500104500431001100",
    b"31414202400020250015100210",
    b"23223101400334350243002021",
    b"30016000300110200010100022",
];

/// Pairs of letters that are needed to tell.
const PAIRS: usize = 6;

/// The mean, in hundredths of a step, from which a text is made of words. Of random texts of 20 letters and digits one in a
/// hundred gets as far, of 32 one in a thousand; names of variables lie above 580.
const WORDS: usize = 500;

/// Changes of class, in hundredths of the characters, from which a text is no name whatever its letters: names have up to
/// 30, chance makes about 45.
const MIXED: usize = 38;

/// Whether the letters of a text follow each other as they do in words.
pub(crate) fn is_wordy(text: &[u8]) -> bool {
    follows_words(text) && changes(text) * 100 < MIXED * text.len()
}

/// Neighbours of different classes: small letters, capitals, digits, anything else. A capital and the small letter behind it
/// are the beginning of a word and count as one class.
pub(crate) fn changes(text: &[u8]) -> usize {
    let class = |b: u8| match b {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let is_change = |first, second| first != second && (first, second) != (1, 0);
    text.windows(2).filter(|pair| is_change(class(pair[0]), class(pair[1]))).count()
}

fn follows_words(text: &[u8]) -> bool {
    let column = |byte: u8| byte.is_ascii_alphabetic().then(|| usize::from(byte.to_ascii_lowercase() - b'a'));
    let (mut sum, mut pairs) = (0, 0);
    for pair in text.windows(2) {
        if let (Some(first), Some(second)) = (column(pair[0]), column(pair[1])) {
            sum += usize::from(FOLLOWS[first][second] - b'0');
            pairs += 1;
        }
    }
    pairs >= PAIRS && sum * 100 >= WORDS * pairs
}

/// Shannon entropy of the bytes of a text, in bits a byte.
pub(crate) fn entropy(text: &[u8]) -> f32 {
    let mut counts = [0u32; 256];
    for &byte in text {
        counts[usize::from(byte)] += 1;
    }
    let total = text.len().max(1) as f32;
    counts.iter().filter(|&&n| n > 0).map(|&n| n as f32 / total).map(|p| -p * p.log2()).sum()
}

/// How many of these occur in a text: small letters, capitals, digits, anything else.
pub(crate) fn classes(text: &[u8]) -> u8 {
    let has = |is: fn(&u8) -> bool| u8::from(text.iter().any(is));
    has(u8::is_ascii_lowercase)
        + has(u8::is_ascii_uppercase)
        + has(u8::is_ascii_digit)
        + has(|b| !b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_and_noise_is_not() {
        for name in
            ["mySuperSecretPassword1", "getAuthenticationTokenForUser2", "application_default_credentials"]
        {
            assert!(is_wordy(name.as_bytes()), "{name}");
        }
        for noise in ["q8Zk2vXw7RtGj4LmNp", "0f3b9c1d7e5a2468", "short"] {
            assert!(!is_wordy(noise.as_bytes()), "{noise}");
        }
    }

    #[test]
    fn entropy_is_in_bits() {
        assert_eq!(entropy(b""), 0.0);
        assert_eq!(entropy(b"aaaa"), 0.0);
        assert_eq!(entropy(b"abababab"), 1.0);
        assert_eq!(classes(b"aB3-"), 4);
        assert_eq!(classes(b"abc"), 1);
    }
}
