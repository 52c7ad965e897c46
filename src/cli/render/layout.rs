//! Which columns fit on a terminal, and how wide each may be.

use super::Fit;

/// Blanks between two columns.
pub(super) const GAP: usize = 2;

/// A column to be fitted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    /// Width of its widest cell.
    pub(super) width: usize,
    pub(super) fit: Fit,
}

/// For each column the width it is given, or `None` if it is left out.
///
/// Cuts what may be cut; leaves a column out only when cutting is not enough and `may_drop` allows it. What still does
/// not fit then is longer than the terminal, which is better than an id nobody can copy.
pub(super) fn fit(wishes: &[Wish], available: usize, may_drop: bool) -> Vec<Option<usize>> {
    let mut given: Vec<Option<usize>> = wishes.iter().map(|wish| Some(wish.width)).collect();
    loop {
        let cut = shrink(wishes, &given, available);
        if !may_drop || total(&cut) <= available {
            return cut;
        }
        let droppable = wishes.iter().zip(&given).enumerate();
        let first_to_go = droppable
            .filter_map(|(at, (wish, kept))| match (wish.fit, kept) {
                (Fit::Drop(order), Some(_)) => Some((order, at)),
                _ => None,
            })
            .max();
        match first_to_go.and_then(|(_, at)| given.get_mut(at)) {
            Some(column) => *column = None,
            None => return cut,
        }
    }
}

fn total(given: &[Option<usize>]) -> usize {
    let kept: Vec<usize> = given.iter().flatten().copied().collect();
    kept.iter().sum::<usize>() + GAP * kept.len().saturating_sub(1)
}

/// Takes from the widest column that can give, until it fits or none can.
fn shrink(wishes: &[Wish], given: &[Option<usize>], available: usize) -> Vec<Option<usize>> {
    let mut cut = given.to_vec();
    let mut excess = total(&cut).saturating_sub(available);
    while excess > 0 {
        let widest = cut
            .iter_mut()
            .zip(wishes)
            .filter_map(|(kept, wish)| match (kept, wish.fit) {
                (Some(width), Fit::Shrink(least)) if *width > usize::from(least) => Some(width),
                _ => None,
            })
            .max_by_key(|width| **width);
        let Some(width) = widest else { break };
        *width -= 1;
        excess -= 1;
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    const WISHES: [Wish; 4] = [
        Wish {
            width: 36,
            fit: Fit::Keep,
        },
        Wish {
            width: 30,
            fit: Fit::Shrink(12),
        },
        Wish {
            width: 8,
            fit: Fit::Drop(1),
        },
        Wish {
            width: 6,
            fit: Fit::Drop(2),
        },
    ];

    #[test]
    fn what_fits_is_left_alone() {
        assert_eq!(
            fit(&WISHES, 86, true),
            [Some(36), Some(30), Some(8), Some(6)]
        );
    }

    #[test]
    fn cutting_comes_before_leaving_out() {
        assert_eq!(
            fit(&WISHES, 80, true),
            [Some(36), Some(24), Some(8), Some(6)]
        );
        assert_eq!(fit(&WISHES, 67, true), [Some(36), Some(19), Some(8), None]);
        assert_eq!(fit(&WISHES, 50, true), [Some(36), Some(12), None, None]);
    }

    #[test]
    fn ids_stay_whole_on_the_narrowest_terminal() {
        assert_eq!(fit(&WISHES, 10, true), [Some(36), Some(12), None, None]);
        assert_eq!(
            fit(&WISHES, 10, false),
            [Some(36), Some(12), Some(8), Some(6)]
        );
        assert_eq!(fit(&[], 10, true), []);
    }
}
