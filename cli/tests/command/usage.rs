//! Wrong command lines: status 2, before any file is looked at, and words that name the option.

use crate::run::Folder;

#[test]
fn wrong_command_lines_end_with_2() {
    let folder = Folder::new();
    for (arguments, words) in [
        (&[][..], "Usage"),
        (&["nonsense"], "'nonsense'"),
        (&["inspect"], "<FILE>"),
        (&["diff", "a"], "<B>"),
        (&["completions", "tcsh"], "'tcsh'"),
        (&["man"], "<DIR>"),
        (&["inspect", "in", "--color", "pink"], "'pink'"),
        (&["convert", "in", "-o", "out"], "--to <FORM>"),
        (
            &["convert", "in", "-o", "out", "--to", "int8", "-p", "4"],
            "--precision is 4, but --to int8 makes codes of 8 bits",
        ),
        (
            &["convert", "in", "-o", "out", "-p", "4", "--exact", "--method", "mae"],
            "'--exact' cannot be used with '--method <METHOD>'",
        ),
        (
            &["convert", "in", "-o", "out", "--to", "qtensor", "--method", "mae"],
            "--method is refused with --to qtensor, which keeps every value without --precision",
        ),
        (
            &["convert", "in", "-o", "out", "-p", "4", "--share", "0.9"],
            "--share belongs to --method caffe2-p99, but the method is mse",
        ),
        (
            &["convert", "in", "-o", "out", "-p", "4", "--method", "caffe2-p99", "--share", "1"],
            "The share of values is 1.0, but it must be above 0.5 and below 1",
        ),
        (&["diff", "a", "b", "--min-sqnr", "nan"], "'nan' for '--min-sqnr <DECIBELS>'"),
        (&["diff", "a", "b", "--max-error", "nan"], "'nan' for '--max-error <ERROR>'"),
        (&["diff", "a", "b", "--max-error", "-1"], "it must be a number of 0 or more"),
        (&["diff", "a", "b", "--threads", "-1"], "it must be a whole number from 0 to"),
        (&["sweep", "a", "--min-sqnr", "inf"], "it must be a finite number"),
        (&["sweep", "a", "--precisions", "4,17"], "it must be a whole number from 1 to 16"),
        (&["sweep", "a", "--powercap", "p"], "--measure-energy"),
    ] {
        folder.wrong(arguments, words);
    }
}

/// What `quantize` is told of the codes is judged without the values.
#[test]
fn wrong_options_of_quantize_end_with_2() {
    let folder = Folder::new();
    folder.wrong(&["quantize", "in", "-o", "out"], "--precision <BITS>");
    folder.wrong(&["quantize", "in", "-p", "4"], "--output <FILE>");
    for (options, words) in [
        ("-p 33", "'33' for '--precision <BITS>': it must be a whole number from 1 to 32"),
        ("-p -1", "'-1' for '--precision <BITS>': it must be a whole number from 1 to 32"),
        ("-p 4 --log --dorefa", "cannot be used with"),
        ("-p 4 --method best", "'best'"),
        ("-p 4 --method fixed", "--range"),
        ("-p 4 --min-size x", "'x' for '--min-size <N>': it must be a whole number from 0 to"),
        ("-p 4 --threads -1", "'-1' for '--threads <N>'"),
        ("-p 4 --per-channel -1", "'-1' for '--per-channel <AXIS>'"),
        // Options of another method.
        (
            "-p 4 --quantiles 0 1",
            "--quantiles belongs to --method percentile, but the method is mse",
        ),
        ("-p 4 --range 0 1", "--range belongs to --method fixed, but the method is mse"),
        (
            "-p 4 --method mae --share 0.9",
            "--share belongs to --method caffe2-p99, but the method is mae",
        ),
        ("-p 4 --seed 1", "--seed belongs to --rounding stochastic, but the rounding is nearest"),
        ("-p 4 --log --quantiles 0 1", "'--quantiles <LOW> <HIGH>'"),
        ("-p 4 --dorefa --share 0.9", "'--share <SHARE>'"),
        ("-p 4 --method caffe2-l2 --signed", "--signed is refused with --method caffe2-l2"),
        ("-p 4 --method caffe2-l1 --reduced", "--reduced is refused with --method caffe2-l1"),
        ("-p 4 --method caffe2-kl --symmetric", "--symmetric is refused with --method caffe2-kl"),
        ("-p 4 --method caffe2-l2 --bias real", "--bias is refused with --method caffe2-l2"),
        // Numbers that no values could be quantized by.
        ("-p 4 --method percentile --quantiles -1 1", "'-1' for '--quantiles <LOW> <HIGH>'"),
        ("-p 4 --method percentile --quantiles 0.9 0.1", "The lower quantile is 0.9, but"),
        ("-p 4 --method fixed --range 0 inf", "'inf' for '--range <MIN> <MAX>'"),
        (
            "-p 4 --method fixed --range 1 0",
            "The minimum is 1.0, but it must be at most the maximum",
        ),
        ("-p 4 --method fixed --range 0 1e300", "must be from 1e-200 to 1e200"),
        (
            "-p 4 --method caffe2-p99 --share nan",
            "The share of values is NaN, but it must be above 0.5",
        ),
        ("-p 9", "The precision to choose parameters for is 9, outside the range 1 to 8"),
        ("-p 17 --method min-max", "is 17, outside the range 1 to 16"),
        ("-p 9 --method caffe2-l2", "is 9, outside the range 1 to 8"),
        ("-p 1 --reduced", "The precision whose range is reduced is 1, outside the range 2 to 8"),
        ("-p 4 --int8", "--precision is 4, but --int8 makes codes of 8 bits"),
        ("-p 4 --dorefa --rounding caffe2", "DoReFa rounds in another way"),
        ("-p 4 --log --rounding caffe2", "the codes of Int8Quantize are linear"),
    ] {
        let arguments: Vec<&str> =
            "quantize in -o out".split(' ').chain(options.split(' ')).collect();
        folder.wrong(&arguments, words);
    }
}
