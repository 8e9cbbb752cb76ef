using System.Runtime.Versioning;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Files;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>What is said when nothing is captured, and what is captured all the same.</summary>
[UnsupportedOSPlatform("windows")]
[Collection(Alone.Name)]
public sealed class CheckpointFolderTests : CheckpointFolderHarness
{
    [Fact]
    public void Look_NothingWritten_IsSaidAfterTenMinutesAndAgainAfterAnHour()
    {
        Open();
        Pass(minutes: 9);
        _warnings.ShouldBeEmpty();

        Pass(minutes: 2);
        _warnings.ShouldBe([$"no checkpoint for 10 m: nothing was saved in '{Folder}' ($ACTORTRAINER_CHECKPOINT_DIR)"]);

        Pass(minutes: 50);
        _warnings.Count.ShouldBe(1);

        Pass(minutes: 20);
        _warnings.Count.ShouldBe(2);
    }

    [Fact]
    public void Look_SwitchedOff_SaysNothing()
    {
        Open(new FolderCaptureOptions());
        Pass(minutes: 100);

        _warnings.ShouldBeEmpty();
    }

    [Fact]
    public void Look_AFileHeldOpen_IsNamedWithItsHolder()
    {
        Open();
        using FileStream held = new(Path.Combine(Folder, "metrics.json"), FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
        held.Write("{}"u8);
        held.Flush();
        Pass(minutes: 11);

        _warnings.Single().ShouldContain("'metrics.json' is open for writing by ");
        _warnings.Single().ShouldContain($"(process {Environment.ProcessId})");
    }

    [Fact]
    public void Look_AFileHeldOpen_DoesNotKeepOthersFromBeingCaptured()
    {
        Open();
        using FileStream held = new(Path.Combine(Folder, "metrics.json"), FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
        held.Write("{}"u8);
        held.Flush();
        Write("m", "m");

        _states.ShouldNotBeEmpty();
        File.Exists(Path.Combine(_directory, "staging", _states[0].Id, "metrics.json")).ShouldBeTrue();
    }

    [Fact]
    public void Look_OnlyTemporaryNames_IsSaid()
    {
        Open();
        Write("model.pt.tmp");
        Pass(minutes: 11);

        _warnings.Single().ShouldContain("only files with temporary names are there ('model.pt.tmp')");
    }

    [Fact]
    public void Look_OnlyALinkThatLeadsOut_IsSaid()
    {
        Open();
        _ = File.CreateSymbolicLink(Path.Combine(Folder, "data"), "/etc");
        Pass(minutes: 11);

        _warnings.Single().ShouldContain("'data' is left out of the checkpoints: it is a link to '/etc'");
    }

    [Fact]
    public void Look_ALayoutThatWaits_SaysForWhat()
    {
        Open();
        Write("step-1/__0_0.distcp");
        Pass(minutes: 11);

        _warnings.Single().ShouldContain("'step-1', a torch distributed checkpoint, waits for a '.metadata'");
    }

    [Fact]
    public void Look_CutShort_IsSaid()
    {
        Open();
        Write("a.safetensors");
        Pass(minutes: 11);

        _warnings[^1].ShouldStartWith("no checkpoint for 10 m: 'a.safetensors' is a safetensors file without its end");
    }

    [Fact]
    public void Look_AScriptThatHasToSayIt_IsRemindedOfThat()
    {
        Open(new FolderCaptureOptions(CheckpointCapture.Commit, "DONE") { WarnAfter = TimeSpan.FromMinutes(10) });
        Write("m");
        Pass(minutes: 11);

        _warnings.Single().ShouldContain("the script has not written 'DONE' (checkpoint.done-file)");
    }

    [Fact]
    public void Look_AFolderThatIsGone_IsSaid()
    {
        Open();
        Directory.Delete(Folder);
        Pass(minutes: 11);

        _warnings.Single().ShouldContain("is gone");
    }

    [Fact]
    public void Look_AFolderThatIsRemovedAndMadeAgain_IsCaptured()
    {
        Open();
        Write("m");
        Directory.Delete(Folder, recursive: true);
        _capture!.Look();
        _ = Directory.CreateDirectory(Folder);
        _capture.Look();
        Write("m", "m", "m");

        _states.ShouldNotBeEmpty();
    }

    /// <summary>As when its disk is full.</summary>
    [Fact]
    public void Look_AStagingFolderThatCannotBeWritten_IsSaid()
    {
        File.WriteAllText(Path.Combine(_directory, "staging"), "a file, no folder");
        Open();
        Write("m", "m", "m");
        Pass(minutes: 11);

        _states.ShouldBeEmpty();
        _warnings[^1].ShouldContain("could not be kept");
    }

    [Fact]
    public void Look_FilesWrittenWithoutAPause_AreCaptured()
    {
        Open();
        for (int i = 0; i < 100; i++)
        {
            File.WriteAllText(Path.Combine(Folder, "m"), $"{i}");
            File.WriteAllText(Path.Combine(Folder, "o"), $"{i}");
            _time.Advance(TimeSpan.FromMilliseconds(100));
            _capture!.Look();
        }

        _states.ShouldNotBeEmpty();
    }

    [Fact]
    public void Look_AfterACheckpointAndNothingOpen_SaysNothing()
    {
        Open();
        Write("m", "m");
        _states.ShouldNotBeEmpty();
        Pass(minutes: 100);

        _warnings.ShouldBeEmpty();
    }

    [Fact]
    public void Finish_WithoutAnyCheckpoint_IsSaid()
    {
        Open();
        _time.Advance(TimeSpan.FromMinutes(11));
        _capture!.Finish(new RunEnd(Violent: false, 1));

        _warnings.Single().ShouldStartWith("the run ended without a checkpoint: nothing was saved in ");
    }

    /// <summary>A file is closed by the end of the process that writes it: only how that ended tells that it is not whole.</summary>
    [Theory]
    [InlineData("its launcher exits with 1 at once", 1, false, nameof(ProcessOutcome.Killed))]
    [InlineData("its launcher exits with 0 at once", 0, false, nameof(ProcessOutcome.Killed))]
    [InlineData("left behind and killed, which this system does not tell", 0, true, nameof(ProcessOutcome.Unclear))]
    [InlineData("how it ended is not known in time", 1, false, nameof(ProcessOutcome.Pending))]
    public void Finish_ChildEndedInTheMiddleOfAFile_ItsSaveIsNone(string how, int exitCode, bool forced, string end)
    {
        FakeWitness witness = new();
        int before = SaveTwiceAndAHalf(witness);
        witness.Now = [Enum.Parse<ProcessOutcome>(end)];

        _capture!.Finish(new RunEnd(Violent: false, exitCode, forced));

        _states.Count.ShouldBe(before, how);
        _warnings.Any(warning => warning.Contains("'o' is not whole", StringComparison.Ordinal)).ShouldBe(exitCode == 0, how);
    }

    /// <summary>Where a script throws in the middle of a file, its language closes the file before the process ends.</summary>
    [Theory]
    [InlineData("o", 400, 1, false, false)]
    [InlineData("o", 400, 1, true, true)]
    [InlineData("o", 400, 0, false, true)]
    [InlineData("o", 1500, 1, false, true)]
    [InlineData("o.npy", 400, 1, false, true)]
    public void Finish_ProcessFailsSoonAfterItClosedAFile_ItsSaveIsNone(string last, int milliseconds, int exitCode, bool asked, bool taken)
    {
        // An array of no elements tells that it is whole.
        byte[] array =
        [
            0x93,
            .. "NUMPY\u0001\0"u8,
            70,
            0,
            .. "{'descr': '<f8', 'fortran_order': False, 'shape': (0,), }"u8,
            .. Enumerable.Repeat((byte)' ', 12),
            (byte)'\n',
        ];
        byte[] content = last == "o.npy" ? array : "no known format"u8.ToArray();
        Open();
        for (int i = 0; i < 2; i++)
        {
            Write("m");
            File.WriteAllBytes(Path.Combine(Folder, last), content);
            Pass(seconds: 5);
        }

        int before = _states.Count;
        before.ShouldBeGreaterThan(0);
        Write("m");
        if (asked)
        {
            _capture!.StopAsked();
        }

        File.WriteAllBytes(Path.Combine(Folder, last), content);
        _capture!.Look();
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        _capture.Look();
        _capture.Finish(new RunEnd(Violent: false, exitCode));

        _states.Count.ShouldBe(before + (taken ? 1 : 0));
        _warnings.Any(warning => warning.Contains($"just after '{last}'", StringComparison.Ordinal)).ShouldBe(!taken);
    }

    /// <summary>A script that saves again and again without a pause never stands still for long enough.</summary>
    [Fact]
    public void Look_ChildFailsSoonAfterItClosedAFile_ThatSaveIsNoneAndTheOneBeforeIsTaken()
    {
        FakeWitness witness = new();
        Open();
        _capture!.Begin(witness, watch: false);
        for (int i = 0; i < 10; i++)
        {
            File.WriteAllText(Path.Combine(Folder, "m"), $"{i}");
            _capture.Look();
            _time.Advance(TimeSpan.FromMilliseconds(300));
            _capture.Look();
        }

        _states.Count.ShouldBe(8, "of ten saves the first shows nothing and the last may be half");
        witness.Now = [ProcessOutcome.Failed];
        _capture.Look();
        witness.Now = [];
        Pass(seconds: 5);

        _states.Count.ShouldBe(8);
    }

    [Fact]
    public void Look_OneIsKilledWhileAnotherOneEnds_ItsSaveIsNone()
    {
        FakeWitness witness = new();
        int before = SaveTwiceAndAHalf(witness);
        witness.Now = [ProcessOutcome.Killed, ProcessOutcome.Pending];
        _capture!.Look();
        witness.Now = [ProcessOutcome.Done];
        _capture.Look();
        witness.Now = [];
        _capture.Look();

        _states.Count.ShouldBe(before);
    }

    /// <summary>Of a third save the last file is closed, and nobody has looked at it yet. Returns how many states were captured.</summary>
    private int SaveTwiceAndAHalf(FakeWitness witness)
    {
        Open();
        _capture!.Begin(witness, watch: false);
        Write("m", "o", "m", "o", "m");
        _states.ShouldNotBeEmpty();
        File.WriteAllText(Path.Combine(Folder, "o"), "half");
        return _states.Count;
    }
}
