use super::{Screen, Size, fit};

const WIDE: Size = Size { columns: 80, rows: 24 };

fn lines(text: &str) -> Vec<String> {
    text.split('|').map(str::to_owned).collect()
}

fn output(draw: impl FnOnce(&mut Screen<&mut Vec<u8>>)) -> String {
    let mut bytes = Vec::new();
    draw(&mut Screen::new(&mut bytes));
    String::from_utf8(bytes).expect("text")
}

#[test]
fn the_second_drawing_covers_the_first() {
    let text = output(|screen| {
        screen.draw(&lines("one|two"), WIDE).expect("drawn");
        screen.draw(&lines("three"), WIDE).expect("drawn");
        screen.draw(&lines("four"), WIDE).expect("drawn");
    });
    assert_eq!(text, "one\ntwo\n\r\x1b[2A\x1b[Jthree\n\r\x1b[1A\x1b[Jfour\n");
}

#[test]
fn printed_lines_stay() {
    let text = output(|screen| {
        screen.draw(&lines("starting"), WIDE).expect("drawn");
        screen.print(&lines("commands")).expect("printed");
        screen.draw(&lines("live"), WIDE).expect("drawn");
    });
    assert_eq!(text, "starting\n\r\x1b[1A\x1b[Jcommands\nlive\n");
}

#[test]
fn another_size_draws_everything_afresh() {
    let text = output(|screen| {
        screen.print(&lines("head")).expect("printed");
        screen.draw(&lines("abcdef"), WIDE).expect("drawn");
        screen.draw(&lines("abcdef"), Size { columns: 4, rows: 24 }).expect("drawn");
    });
    assert_eq!(text, "head\nabcdef\n\x1b[2J\x1b[Hhead\nabcd\n");
}

#[test]
fn no_more_lines_than_the_window_has() {
    let text = output(|screen| {
        screen.draw(&lines("1|2|3|4|5"), Size { columns: 80, rows: 4 }).expect("drawn");
    });
    assert_eq!(text, "1\n2\n… 3 more lines: make the window taller\n");
    let text = output(|screen| screen.draw(&lines("1|2"), Size { columns: 5, rows: 1 }).expect("drawn"));
    assert_eq!(text, "… 2 m\n");
}

#[test]
fn escape_sequences_do_not_count() {
    assert_eq!(fit("\x1b[31mred\x1b[0m", 3), "\x1b[31mred\x1b[0m");
    assert_eq!(fit("\x1b[31mred\x1b[0m", 2), "\x1b[31mre\x1b[0m");
    assert_eq!(fit("plain", 3), "pla");
    assert_eq!(fit("", 0), "");
}
