using System.Text;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers;
using ActorTrainer.Runtime.Workers.Guard;
using FsCheck;
using FsCheck.Fluent;

namespace ActorTrainer.Runtime.Tests.Workers;

[Trait("Lane", "Slow")]
public sealed class OutputTests : IDisposable
{
    private static readonly RunKey Run = WorkerHarness.Key();
    private readonly string _directory = WorkerHarness.NewDirectory();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void LastLines_HoweverTheBytesAreCut_AreTheLastOfTheText()
    {
        Gen<string> text = Gen.ListOf(Gen.Elements("a", "bb", "\n", "\n\n", "ccc\n", "\r\n", "é")).Select(parts => string.Concat(parts));
        Prop.ForAll(
                text.ToArbitrary(),
                Gen.Choose(1, 50).ToArbitrary(),
                (all, cut) =>
                {
                    LastLines lines = new();
                    byte[] bytes = Encoding.UTF8.GetBytes(all);
                    for (int i = 0; i < bytes.Length; i += cut)
                    {
                        lines.Add(bytes.AsSpan(i, Math.Min(cut, bytes.Length - i)));
                    }

                    string[] expected = [.. all.Split('\n').Select(line => line.TrimEnd('\r'))];
                    expected = expected[^1].Length == 0 ? expected[..^1] : expected;
                    lines.ToList().ShouldBe(expected[Math.Max(0, expected.Length - 20)..]);
                }
            )
            .QuickCheckThrowOnFailure();
    }

    [Fact]
    public void LastLines_ProgressBarAndLongLine_KeepTheNewestPartAndTheBound()
    {
        LastLines lines = new();
        lines.Add("  1%\r 50%\r"u8);
        lines.Add("100%\n"u8);
        lines.Add(Encoding.UTF8.GetBytes(new string('x', 100_000)));
        lines.ToList().ShouldBe(["100%", new string('x', 400)]);
    }

    [Fact]
    public void OutputLog_PastItsBound_KeepsTheTwoNewestFilesCutAtLines()
    {
        using (OutputLog log = new(_directory, 20_000))
        {
            for (int line = 0; line < 5000; line++)
            {
                log.Write(Encoding.UTF8.GetBytes($"line {line}\n"));
            }

            log.DroppedBytes.ShouldBe(0);
        }

        string[] files = [.. Directory.GetFiles(_directory).OrderBy(path => OutputLog.NumberOf(Path.GetFileName(path)))];
        files.Length.ShouldBe(2);
        files.Sum(path => new FileInfo(path).Length).ShouldBeLessThanOrEqualTo(20_000);
        string[] kept = [.. files.SelectMany(File.ReadAllLines)];
        kept.ShouldBe(Enumerable.Range(5000 - kept.Length, kept.Length).Select(line => $"line {line}"));
        int before = Enumerable.Range(0, 5000 - kept.Length).Sum(line => $"line {line}\n".Length);
        OutputLog.StartOf(Path.GetFileName(files[0])).ShouldBe(before);
        OutputLog.StartOf(Path.GetFileName(files[1])).ShouldBe(before + new FileInfo(files[0]).Length);
    }

    [Fact]
    public void OutputLog_ThatGoesOnBehindAnother_BeginsWhereThatEnded()
    {
        using (OutputLog before = new(_directory, 20_000))
        {
            before.Write("made\n"u8);
        }

        using (OutputLog log = new(_directory, 20_000, goesOn: true))
        {
            log.Write("trains\n"u8);
        }

        Directory
            .GetFiles(_directory)
            .Order(StringComparer.Ordinal)
            .Select(path => (Path.GetFileName(path), File.ReadAllText(path)))
            .ShouldBe([("output-2-5.log", "trains\n"), ("output.log", "made\n")]);
    }

    [Fact]
    public void OutputLog_FolderGone_DropsAndCounts()
    {
        using OutputLog log = new(Path.Combine(_directory, "none"), 20_000);
        log.Write("lost\n"u8);
        log.DroppedBytes.ShouldBe(5);
    }

    [Fact]
    public void RunDirectories_EarlierRuns_KeepOutputOfFiveAndNothingElse()
    {
        RunDirectories directories = new(_directory);
        for (int run = 1; run <= 12; run++)
        {
            RunKey key = new(Run.Task, run < 10 ? 1 : 2, run);
            directories.Create(key);
            File.WriteAllText(Path.Combine(directories.Of(key), "output.log"), $"{run}");
            File.WriteAllText(Path.Combine(directories.Staging(key), "f"), "");
        }

        RunKey current = new(Run.Task, 2, 12);
        RunKey needed = new(Run.Task, 1, 2);
        directories.RemoveBefore(current, key => key == needed, RunDirectories.DeleteFolder);
        directories
            .OutputFiles(Run.Task)
            .Select(file => (file.Term, file.Run))
            .ShouldBe([(1, 2), (1, 8), (1, 9), (2, 10), (2, 11), (2, 12)]);
        File.Exists(Path.Combine(directories.Staging(needed), "f")).ShouldBeTrue();
        File.Exists(Path.Combine(directories.Staging(current), "f")).ShouldBeTrue();
        Directory.Exists(directories.Staging(new RunKey(Run.Task, 2, 11))).ShouldBeFalse();
    }
}
