using System.Diagnostics;
using ActorTrainer.Core.Progress;
using ActorTrainer.Runtime.Workers.Output;

namespace ActorTrainer.Runtime.Tests.Workers;

public sealed class OutputGlanceTests : IDisposable
{
    private readonly string _folder = WorkerHarness.NewDirectory();
    private readonly OutputGlance _glance;

    public OutputGlanceTests() => _glance = new OutputGlance(_folder);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Look_NothingPrinted_IsEmpty() => _glance.Look(ending: true).ShouldBeEmpty();

    [Fact]
    public void Look_OutputOfWhatWasMadeBeforeTheRun_IsPassedOver()
    {
        OutputGlance glance = new(_folder, after: 1);
        File.WriteAllText(Path.Combine(_folder, "output.log"), "step 7/9\n");
        glance.Look(ending: false).ShouldBeEmpty();

        File.WriteAllText(Path.Combine(_folder, "output-2.log"), "step 1/9\n");

        glance.Look(ending: false).ShouldBe(["step 1/9"]);
    }

    [Fact]
    public void Look_LinesAndBars_GivesEachOnce()
    {
        Print("one\ntwo\r\n 10%|x| 1/10\r 20%|x| 2/10\rthr");
        _glance.Look(ending: false).ShouldBe(["one", "two", " 10%|x| 1/10", " 20%|x| 2/10"]);
        _glance.Look(ending: false).ShouldBeEmpty();

        Print("ee\n");
        _glance.Look(ending: false).ShouldBe(["three"]);
    }

    [Fact]
    public void Look_BarWithoutALinesEnd_IsReadOnceItIsWhole()
    {
        Print("\r 37%|███▋   | 375/10");
        _glance.Look(ending: false).ShouldBeEmpty();

        Print("00 [00:12<00:20, 30.1it/s]  ");

        _glance.Look(ending: false).ShouldBe([" 37%|███▋   | 375/1000 [00:12<00:20, 30.1it/s]  "]);
    }

    [Fact]
    public void Look_AtTheEnd_TakesTheLineThatHasNone()
    {
        Print("step 5/9 loss 1");
        _glance.Look(ending: false).ShouldBeEmpty();

        _glance.Look(ending: true).ShouldBe(["step 5/9 loss 1"]);
    }

    [Fact]
    public void Look_Much_IsTheNewestOfIt()
    {
        Print(string.Concat(Enumerable.Range(1, 100_000).Select(i => $"step {i}/100000 loss 0.5\n")));

        IReadOnlyList<string> lines = _glance.Look(ending: false);

        lines.Count.ShouldBe(OutputGlance.MostLines);
        lines[^1].ShouldBe("step 100000/100000 loss 0.5");
        lines[0].ShouldBe("step 99873/100000 loss 0.5");
    }

    [Fact]
    public void Look_LineOfAMegabyte_IsLeftOut()
    {
        Print(new string('9', 1 << 20));
        _glance.Look(ending: false).ShouldBeEmpty();

        Print("\nstep 5/9 loss 1\n");

        _glance.Look(ending: false).ShouldBe(["step 5/9 loss 1"]);
    }

    [Fact]
    public void Look_NextFile_GoesOnThere()
    {
        Print("one\n");
        _glance.Look(ending: false).ShouldBe(["one"]);
        File.Delete(Path.Combine(_folder, "output.log"));

        File.WriteAllText(Path.Combine(_folder, "output-3.log"), "two\n");

        _glance.Look(ending: false).ShouldBe(["two"]);
    }

    /// <summary>A run that prints without end: what is looked at is bounded, so a look stays far below the time between two.</summary>
    [Fact]
    public void Look_AndRead_OfMuch_CostLittle()
    {
        ScriptProgress progress = new(null);
        string block = string.Concat(Enumerable.Range(1, 50_000).Select(i => $"step {i}/100000 loss 0.5 lr 1e-4 tokens/s 1234.5\n"));
        Print(block);
        _ = progress.Add(_glance.Look(ending: false), default);
        const int looks = 20;
        TimeSpan used = TimeSpan.Zero;
        for (int i = 1; i <= looks; i++)
        {
            Print(block);
            TimeSpan before = Process.GetCurrentProcess().TotalProcessorTime;
            _ = progress.Add(_glance.Look(ending: false), TimeSpan.FromSeconds(i));
            used += Process.GetCurrentProcess().TotalProcessorTime - before;
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{used.TotalMilliseconds / looks:0.00} ms a look");
        progress.Current!.Step.ShouldBe(50_000);
        (used / looks).ShouldBeLessThan(RunProgress.Every / 5);
    }

    private void Print(string text) => File.AppendAllText(Path.Combine(_folder, "output.log"), text);
}
