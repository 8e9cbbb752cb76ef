using System.Runtime.Versioning;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Files;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>Files whose writing was broken off by a stop or a failure, and closed all the same.</summary>
[UnsupportedOSPlatform("windows")]
[Collection(Alone.Name)]
public sealed class BrokenOffTests : CheckpointFolderHarness
{
    /// <summary>A handler of SIGTERM that exits leaves the file that is being written half, and closes it.</summary>
    [Theory]
    [InlineData("the only file", "m", 0)]
    [InlineData("the only file, as if ended by the signal", "m", 143)]
    [InlineData("the first of two", "m,o", 0)]
    [InlineData("the last of two", "o,m", 0)]
    public void Finish_AskedToStopInTheMiddleOfAFile_ThatSaveIsNone(string what, string files, int exitCode)
    {
        string[] names = files.Split(',');
        Open();
        Write([.. names, .. names, .. names]);
        int before = _states.Count;
        before.ShouldBeGreaterThan(0, what);

        string[] whole = [.. names.TakeWhile(name => name != "m")];
        Write(whole);
        using (FileStream writing = File.Create(Path.Combine(Folder, "m")))
        {
            writing.Write("half"u8);
            writing.Flush();
            _capture!.Look();
            _capture.StopAsked();
        }

        _capture.Look();
        _time.Advance(TimeSpan.FromMilliseconds(200));
        _capture.Look();
        _capture.Finish(new RunEnd(Violent: false, exitCode));

        _states.Count.ShouldBe(before, what);
        _warnings.ShouldContain(
            "what was saved last is no checkpoint: the run was asked to stop while it wrote 'm', perhaps in the middle of it"
        );
    }

    /// <summary>One that takes note of the signal, goes on with what it does and saves before it exits.</summary>
    [Fact]
    public void Finish_AskedToStopInTheMiddleOfAFileAndSavesAgain_ThatSaveIsTaken()
    {
        Open();
        Write("m", "o", "m", "o");
        int before = _states.Count;
        using (FileStream writing = File.Create(Path.Combine(Folder, "m")))
        {
            writing.Write("first"u8);
            _capture!.StopAsked();
        }

        Write("o");
        _states.Count.ShouldBe(before + 1, "the script has gone on after it");
        Write("m", "o");
        _capture!.Finish(new RunEnd(Violent: false, 0));

        _states.Count.ShouldBe(before + 2);
        _warnings.ShouldBeEmpty();
    }

    [Fact]
    public void Look_AskedToStopInTheMiddleOfTheOnlyFileAndTheScriptLivesOn_ThatSaveIsTaken()
    {
        Open();
        Write("m", "m", "m");
        int before = _states.Count;
        using (FileStream writing = File.Create(Path.Combine(Folder, "m")))
        {
            writing.Write("whole"u8);
            _capture!.StopAsked();
        }

        Pass(seconds: 3);

        _states.Count.ShouldBe(before + 1);
    }

    /// <summary>A checkpoint of a known layout is not due before it has stood for a while.</summary>
    [Fact]
    public void Look_ChildFailsInTheLastFileOfAKnownLayout_IsNoCheckpoint()
    {
        FakeWitness witness = new();
        Open();
        _capture!.Begin(witness, watch: false);
        WriteTrainerCheckpoint(1);
        Pass(seconds: 5);
        _states.Count.ShouldBe(1);
        WriteTrainerCheckpoint(2);
        _time.Advance(TimeSpan.FromMilliseconds(600));
        witness.Now = [ProcessOutcome.Failed];
        _capture.Look();
        witness.Now = [];
        Pass(seconds: 5);

        _states.Count.ShouldBe(1);
    }

    /// <summary>What a failing process left half written is part of no later save either.</summary>
    [Fact]
    public void Look_ChildFailsInAFileThatIsWrittenNowAndThen_TheOneBeforeStandsForIt()
    {
        FakeWitness witness = new();
        Open();
        _capture!.Begin(witness, watch: false);
        Write("m", "o", "best", "m", "o", "m", "o");
        File.WriteAllText(Path.Combine(Folder, "best"), "half");
        _capture.Look();
        _time.Advance(TimeSpan.FromMilliseconds(600));
        witness.Now = [ProcessOutcome.Failed];
        _capture.Look();
        witness.Now = [];
        int before = _states.Count;
        Write("m", "o", "m", "o", "m", "o");

        _states.Count.ShouldBeGreaterThan(before);
        foreach (StagedState state in _states)
        {
            string best = Path.Combine(_directory, "staging", state.Id, "best");
            File.ReadAllText(best).ShouldBe("content", state.Id);
        }
    }

    [Theory]
    [InlineData(null, "there is nothing to commit in '")]
    [InlineData("last.jsn", "there is nothing to commit: no file is there that the task's state names (last.jsn)")]
    public void Commit_OfNothing_IsRefused(string? state, string problem)
    {
        Open(new FolderCaptureOptions(State: state is null ? null : [state]));
        if (state is not null)
        {
            Write("last.json");
        }

        Commit()!.ShouldStartWith(problem);
        _states.ShouldBeEmpty();
    }

    [Fact]
    public void Commit_OfAFileThatIsCutShort_IsRefusedAndOneThatIsWholeIsNot()
    {
        Open();
        File.WriteAllBytes(Path.Combine(Folder, "m.pt"), [.. "PK\u0003\u0004"u8, .. new byte[100]]);
        _capture!.Look();

        Commit()!.ShouldBe("'m.pt' is a zip archive without its end");
        _states.ShouldBeEmpty();

        File.WriteAllText(Path.Combine(Folder, "m.pt"), "no archive");
        _capture.Look();
        Commit().ShouldBeNull();
        _states.Count.ShouldBe(1);
    }

    [Fact]
    public void DoneFile_AfterAFileThatIsCutShort_IsNoCheckpointAndIsSaid()
    {
        Open(new FolderCaptureOptions(DoneFile: "DONE"));
        File.WriteAllBytes(Path.Combine(Folder, "m.pt"), [.. "PK\u0003\u0004"u8, .. new byte[100]]);
        _capture!.Look();
        Write("DONE");

        _states.ShouldBeEmpty();
        _warnings.ShouldContain("no checkpoint: 'm.pt' is a zip archive without its end");
    }

    /// <summary>A mistyped name in a task's state is said at once, not after hours.</summary>
    [Theory]
    [InlineData(0, 0, true)]
    [InlineData(1, 0, false)]
    [InlineData(0, 7, false)]
    public void Finish_NothingOfTheStateWasSaved_IsSaid(int exitCode, long restored, bool said)
    {
        Open(new FolderCaptureOptions(State: ["last.jsn"], RestoredStep: restored) { WarnAfter = TimeSpan.FromMinutes(10) });
        Write("last.json");
        _capture!.Finish(new RunEnd(Violent: false, exitCode));

        _warnings.ShouldBe(said ? ["the run ended without a checkpoint: nothing was saved in last.jsn (state)"] : []);
    }

    private string? Commit()
    {
        string? problem = "not asked";
        _capture!.Commit(null, what => problem = what);
        _capture.Look();
        return problem;
    }

    private void WriteTrainerCheckpoint(int number)
    {
        foreach (string name in (string[])["model.safe", "rng_state.pth", "trainer_state.json"])
        {
            string path = Path.Combine(Folder, $"checkpoint-{number}", name);
            _ = Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            _capture!.Look();
            File.WriteAllText(path, "{}");
            _capture.Look();
        }
    }
}
