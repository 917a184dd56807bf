//! The bar: every token of the pool, by the build that has it.

use super::view::{Ranks, Style, Window};
use crate::ioctl::Setting;
use crate::report::Snapshot;

/// A token that can be taken, and one that a limit keeps back.
const AVAILABLE: char = '.';
const KEPT_BACK: char = '-';

/// The bar in brackets, not wider than the window. Each token begins with the letter of its build
/// and is drawn out as far as there is room; where there is less than a column for each, they
/// share.
pub(super) fn bar(snapshot: &Snapshot, ranks: &Ranks, window: Window) -> String {
    let Some(room) = window.width.checked_sub(2) else {
        return window.clip("[]");
    };
    let jobs = usize::try_from(snapshot.effective(Setting::Jobs)).unwrap_or(0);
    // More than there are jobs while `jobs` has just been lowered.
    let tokens = jobs.max(snapshot.in_use.into()).max(1);
    let columns = if room < tokens {
        room
    } else {
        room / tokens * tokens
    };
    let column = |token: usize| (token.min(tokens)) * columns / tokens;
    let mut bar = String::from("[");
    let mut token = 0;
    for &place in &ranks.order {
        let end = token + usize::from(snapshot.builds[place].tokens);
        let (letter, style) = ranks.letter(place);
        let cells: String = (token..end)
            .map(|at| cell(letter, column(at + 1) - column(at), window.colour))
            .collect();
        let style = match style {
            Style::Build(rank) => Style::Ground(rank),
            other => other,
        };
        bar.push_str(&window.paint(style, &cells));
        token = end;
    }
    let kept_back = token + usize::from(snapshot.available);
    bar.extend(std::iter::repeat_n(
        AVAILABLE,
        column(kept_back) - column(token),
    ));
    bar.extend(std::iter::repeat_n(
        KEPT_BACK,
        column(tokens) - column(kept_back),
    ));
    bar.push(']');
    bar
}

/// One token, `width` columns wide.
fn cell(letter: char, width: usize, colour: bool) -> String {
    let fill = if colour { ' ' } else { '=' };
    let cells = std::iter::once(letter).chain(std::iter::repeat(fill));
    cells.take(width).collect()
}
