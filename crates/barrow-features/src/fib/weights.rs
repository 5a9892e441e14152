//! From weights of paths to numbers of buckets.
//!
//! The number of buckets is a power of two, so that a hash selects one by a mask. It starts at the
//! smallest that gives every path one and doubles until the shares are within 10 % (summed over all
//! paths) of the weights, as VPP does it (`vpp:src/vnet/dpo/load_balance.c`), up to [`MAX_BUCKETS`].

/// The most buckets of one load balance.
pub(super) const MAX_BUCKETS: usize = 8192;

/// How many buckets each path gets, in the order of `weights`, which is ascending. The sum is a power of
/// two of at most [`MAX_BUCKETS`]. A weight of 0 counts as 1; paths beyond the maximum get none.
///
/// Equal weights that are a power of two in number get one bucket each.
#[must_use]
pub(super) fn normalise(weights: &[u32]) -> Vec<u32> {
    let weights = &weights[..weights.len().min(MAX_BUCKETS)];
    let total: u64 = weights.iter().map(|&weight| u64::from(weight.max(1))).sum();
    let mut buckets = weights.len().max(1).next_power_of_two();
    loop {
        let (shares, error) = share(weights, total, buckets as u64);
        // error <= 10 % of the buckets, in units of 1/total of a bucket
        if error.is_some_and(|error| 10 * error <= buckets as u64 * total) {
            return shares;
        }
        if buckets >= MAX_BUCKETS {
            return shares;
        }
        buckets *= 2;
    }
}

/// Rounds each weight to its share of `buckets`. The error is the sum of what rounding moved, in units
/// of `1 / total` of a bucket; `None` if a path was left without a bucket.
fn share(weights: &[u32], total: u64, buckets: u64) -> (Vec<u32>, Option<u64>) {
    let mut left = buckets;
    let mut error = Some(0);
    let mut shares: Vec<u32> = weights
        .iter()
        .map(|&weight| {
            let exact = u64::from(weight.max(1)) * buckets;
            let rounded = ((2 * exact + total) / (2 * total)).min(left);
            left -= rounded;
            error = if rounded == 0 {
                None
            } else {
                error.map(|error| error + exact.abs_diff(rounded * total))
            };
            rounded as u32
        })
        .collect();
    if let Some(first) = shares.first_mut() {
        *first += left as u32;
    }
    (shares, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_path_has_one_bucket() {
        assert_eq!(normalise(&[1]), [1]);
        assert_eq!(normalise(&[200]), [1]);
    }

    #[test]
    fn equal_weights_of_two_and_four_paths_have_a_bucket_each() {
        assert_eq!(normalise(&[1, 1]), [1, 1]);
        assert_eq!(normalise(&[7, 7, 7, 7]), [1, 1, 1, 1]);
    }

    #[test]
    fn three_equal_paths_share_sixteen_buckets() {
        assert_eq!(normalise(&[1, 1, 1]), [6, 5, 5]);
    }

    #[test]
    fn unequal_weights_are_met() {
        assert_eq!(normalise(&[1, 3]), [1, 3]);
        assert_eq!(normalise(&[1, 1, 2]), [1, 1, 2]);
    }

    #[test]
    fn no_path_is_no_bucket() {
        assert!(normalise(&[]).is_empty());
    }

    #[test]
    fn the_weakest_path_still_gets_a_bucket() {
        assert!(normalise(&[1, 255]).iter().all(|&share| share > 0));
        assert!(
            normalise(&[1, 255, 255, 255])
                .iter()
                .all(|&share| share > 0)
        );
    }

    proptest! {
        #[test]
        fn shares_sum_to_a_power_of_two_and_follow_the_weights(
            mut weights in prop::collection::vec(1_u32..=255, 1..40)
        ) {
            weights.sort_unstable();
            let shares = normalise(&weights);
            let buckets: u32 = shares.iter().sum();
            prop_assert!(buckets.is_power_of_two());
            prop_assert!(buckets as usize <= MAX_BUCKETS);
            prop_assert_eq!(shares.len(), weights.len());
            prop_assert!(shares.iter().all(|&share| share > 0));
            let total: u32 = weights.iter().sum();
            let error: f64 = shares
                .iter()
                .zip(&weights)
                .map(|(&share, &weight)| {
                    (f64::from(share) / f64::from(buckets) - f64::from(weight) / f64::from(total)).abs()
                })
                .sum();
            // 10 % from rounding, and as much again for what rounding left over
            prop_assert!(buckets as usize == MAX_BUCKETS || error <= 0.21, "{} {:?}", error, shares);
        }
    }
}
