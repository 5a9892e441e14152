//! `show cpu`, `show plugins`: what the process is made of.

use super::{CliContext, CliRegistry, DuplicateCommand};
use barrow_runtime::sys::{cpu, tsc_frequency};
use std::fs;

/// CPU flags that `show cpu` names, in VPP's order, with the kernel's names where they differ.
const FLAGS: [(&str, &str); 24] = [
    ("sse3", "pni"),
    ("pclmulqdq", "pclmulqdq"),
    ("ssse3", "ssse3"),
    ("sse41", "sse4_1"),
    ("sse42", "sse4_2"),
    ("avx", "avx"),
    ("rdrand", "rdrand"),
    ("avx2", "avx2"),
    ("bmi2", "bmi2"),
    ("avx512f", "avx512f"),
    ("rdseed", "rdseed"),
    ("aes", "aes"),
    ("sha", "sha_ni"),
    ("vaes", "vaes"),
    ("vpclmulqdq", "vpclmulqdq"),
    ("avx512_vnni", "avx512_vnni"),
    ("avx512_bitalg", "avx512_bitalg"),
    ("avx512_vpopcntdq", "avx512_vpopcntdq"),
    ("fma", "fma"),
    ("movbe", "movbe"),
    ("popcnt", "popcnt"),
    ("f16c", "f16c"),
    ("bmi1", "bmi1"),
    ("invariant_tsc", "nonstop_tsc"),
];

/// One plugin or built-in feature, for `show plugins`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginInfo {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is for.
    pub description: String,
}

/// Registers `show cpu` and `show plugins`, the latter with what `plugins` gives.
///
/// # Errors
/// [`DuplicateCommand`].
pub fn register_process(
    cli: &mut CliRegistry,
    plugins: impl Fn() -> Vec<PluginInfo> + 'static,
) -> Result<(), DuplicateCommand> {
    cli.command("show cpu", "Show cpu information", |cx, _| {
        show_cpu(cx, &fs::read_to_string("/proc/cpuinfo").unwrap_or_default());
        Ok(())
    })?;
    cli.command("show plugins", "Show features", move |cx, _| {
        cx.print(" Plugin path is: built in, plugins shown in load order\n");
        cx.print("\n");
        cx.print(format_args!(
            "     {:<40} {:<32} {}",
            "Plugin", "Version", "Description"
        ));
        for (number, plugin) in (1..).zip(plugins()) {
            let PluginInfo {
                name,
                version,
                description,
            } = plugin;
            cx.print(format_args!(
                "{number:>3}. {name:<40} {version:<32} {description}"
            ));
        }
        Ok(())
    })
}

fn show_cpu(cx: &mut CliContext<'_>, cpuinfo: &str) {
    let field = |name: &str| {
        let line = cpuinfo
            .lines()
            .find(|line| line.split(':').next().map(str::trim) == Some(name));
        line.and_then(|line| line.split_once(':'))
            .map_or("", |(_, value)| value.trim())
    };
    let number = |name: &str| field(name).parse::<u32>().unwrap_or(0);
    let flags: Vec<&str> = field("flags").split_ascii_whitespace().collect();
    let known = FLAGS.iter().filter(|(_, kernel)| flags.contains(kernel));
    let shown: String = known.map(|(name, _)| format!("{name} ")).collect();
    #[expect(clippy::cast_precision_loss, reason = "a frequency to five digits")]
    let gigahertz = tsc_frequency() as f64 / 1e9;
    let (family, model) = (number("cpu family"), number("model"));
    let vendor = field("vendor_id");
    let lines = [
        ("Model name:", cpu::model_name()),
        (
            "Microarch model (family):",
            format!("{vendor} (family 0x{family:x} model 0x{model:x})"),
        ),
        ("Flags:", shown),
        ("Base frequency:", format!("{gigahertz:.4} GHz")),
    ];
    for (what, value) in lines {
        cx.print(format_args!("{what:<25} {value}"));
    }
}
