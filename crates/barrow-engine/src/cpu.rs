//! What only the processor at hand can do: the packets of one next node picked out of a vector, sixteen
//! at a time.
//!
//! On x86-64 with AVX-512 a compress instruction in a register and a full-width store take about a clock
//! for four packets. (Compressing straight to memory would be microcoded on Zen 4, at fourteen times the
//! cost.) Elsewhere the caller has its own way; [`Compress::detect`] says which.

#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::{
    __mmask16, _mm256_cmpeq_epi16_mask, _mm256_maskz_loadu_epi16, _mm256_set1_epi16,
    _mm512_maskz_compress_epi32, _mm512_maskz_loadu_epi32, _mm512_storeu_epi32,
};

/// Lanes of one step: how far a store may reach beyond what it is for.
pub(crate) const LANES: usize = 16;

/// The processor has what [`Compress::pick`] needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compress(());

impl Compress {
    /// Looks at the processor.
    pub(crate) fn detect() -> Option<Self> {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        {
            let has = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl");
            has.then_some(Self(()))
        }
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        None
    }

    /// Copies `from[i]` to `to` for each `i` with `keys[i] == key`, in order, and sets bit `i` of `done`.
    /// Returns how many there were.
    ///
    /// # Safety
    /// - `from` is readable for `keys.len()` words.
    /// - `to` is writable for `keys.len() + LANES` words and does not overlap `from`.
    /// - `done` has a bit for each key.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    pub(crate) unsafe fn pick(
        self,
        from: *const u32,
        keys: &[u16],
        key: u16,
        to: *mut u32,
        done: &mut [u16],
    ) -> usize {
        // SAFETY: `self` exists only where the instructions do; the rest is the caller's promise.
        unsafe { pick(from, keys, key, to, done) }
    }

    /// Never called: nothing is ever detected here.
    ///
    /// # Safety
    /// None needed.
    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) unsafe fn pick(
        self,
        _: *const u32,
        _: &[u16],
        _: u16,
        _: *mut u32,
        _: &mut [u16],
    ) -> usize {
        unreachable!("only detected on x86-64")
    }
}

/// See [`Compress::pick`].
///
/// # Safety
/// As there, on a processor with AVX-512 F, BW and VL.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn pick(from: *const u32, keys: &[u16], key: u16, to: *mut u32, done: &mut [u16]) -> usize {
    let wanted = _mm256_set1_epi16(key.cast_signed());
    let mut picked = 0;
    for (step, (chunk, done)) in keys.chunks(LANES).zip(done).enumerate() {
        let lanes: __mmask16 = u16::MAX >> (LANES - chunk.len());
        // SAFETY: masked lanes are not read, and there are as many others as the chunk has keys.
        let keys = unsafe { _mm256_maskz_loadu_epi16(lanes, chunk.as_ptr().cast()) };
        let equal = _mm256_cmpeq_epi16_mask(keys, wanted) & lanes;
        // SAFETY: the caller's words are as many as there are keys, of which this is the next chunk.
        let start = unsafe { from.add(step * LANES) };
        // SAFETY: masked lanes are not read, and the others are within the caller's words.
        let words = unsafe { _mm512_maskz_loadu_epi32(lanes, start.cast()) };
        let packed = _mm512_maskz_compress_epi32(equal, words);
        // SAFETY: at most as many words as keys were stored before, and there is room for a step more.
        let end = unsafe { to.add(picked) };
        // SAFETY: as above.
        unsafe { _mm512_storeu_epi32(end.cast(), packed) };
        picked += equal.count_ones() as usize;
        *done |= equal;
    }
    picked
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn picking_is_filtering(keys in proptest::collection::vec(0u16..4, 0..300), key in 0u16..5) {
            let Some(compress) = Compress::detect() else { return Ok(()) };
            let words: Vec<u32> = (1..).take(keys.len()).collect();
            let mut out = vec![0; keys.len() + LANES];
            let mut done = vec![0; keys.len().div_ceil(LANES)];
            // SAFETY: the lengths are as demanded, and the vectors are different ones.
            let picked =
                unsafe { compress.pick(words.as_ptr(), &keys, key, out.as_mut_ptr(), &mut done) };
            let expected: Vec<u32> =
                words.iter().zip(&keys).filter(|(_, k)| **k == key).map(|(w, _)| *w).collect();
            prop_assert_eq!(&out[..picked], &expected[..]);
            let bit = |i: usize| done[i / LANES] >> (i % LANES) & 1 == 1;
            prop_assert!((0..keys.len()).all(|i| bit(i) == (keys[i] == key)));
        }
    }
}
