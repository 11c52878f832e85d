//! Who may call a node: the cookie that it writes into its data directory, or a user with a password.

/// The cookie file's name in the data directory. It holds `user:password`, readable by its owner alone.
pub const COOKIE_FILE: &str = ".cookie";

/// The user part of a cookie.
pub const COOKIE_USER: &str = "__cookie__";

/// The value of the `Authorization` header for `user:password` (RFC 7617). A server compares the whole value.
pub fn basic(user_password: &str) -> String {
    format!("Basic {}", base64(user_password.as_bytes()))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Standard base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for position in 0..4 {
            if position <= chunk.len() {
                let digit = (group >> (18 - 6 * position)) & 63;
                text.push(char::from(ALPHABET[digit as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests;
