using System.Runtime.Versioning;
using System.Text;
using ActorTrainer.Runtime.Workers.Files;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>A text that a script holds open for the whole run, and adds lines to.</summary>
[UnsupportedOSPlatform("windows")]
[Collection(Alone.Name)]
public sealed class HeldTextTests : CheckpointFolderHarness
{
    /// <summary>A run that was restored goes on with the lines of the run before.</summary>
    [Fact]
    public void Look_ARestoredTextThatGrows_IsAsItStandsInEveryState()
    {
        OpenRestored("run 1\n");
        Write("m", "m");
        using FileStream held = Append();
        AddLine(held, "run 2");
        Write("m");

        LastMetrics().ShouldBe("run 1\nrun 2\n");
    }

    /// <summary>One that is written anew may be half written at any moment: the restored one is the newest that is whole.</summary>
    [Fact]
    public void Look_ARestoredTextThatIsWrittenAnew_IsTheOneThatWasWhole()
    {
        OpenRestored("run 1\n");
        Write("m", "m");
        using FileStream anew = new(Metrics, FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
        AddLine(anew, "half of ru");
        Write("m");

        LastMetrics().ShouldBe("run 1\n");
    }

    /// <summary>Its close by the end of the script, which is told with the last save, does not take it out of that save.</summary>
    [Theory]
    [InlineData(true, 137)]
    [InlineData(false, 1)]
    [InlineData(false, 0)]
    public void Finish_EndedRightAfterASave_TheTextIsInThatState(bool violent, int exitCode)
    {
        Open();
        FileStream held = Append();
        AddLine(held, "one");
        Write("m", "m");
        int before = _states.Count;
        held.Write("two\n"u8);
        held.Flush();
        File.WriteAllText(Path.Combine(Folder, ".m"), "content");
        File.Move(Path.Combine(Folder, ".m"), Path.Combine(Folder, "m"), overwrite: true);
        held.Dispose();
        _capture!.Finish(new RunEnd(violent, exitCode));

        _states.Count.ShouldBe(before + 1);
        LastMetrics().ShouldBe("one\ntwo\n");
    }

    /// <summary>What was begun after the last save, and closed by the death of its writer, is half written and in no state.</summary>
    [Fact]
    public void Finish_KilledInTheNextSave_WhatThatBeganIsInNoState()
    {
        Open();
        Write("m", "m");
        int before = _states.Count;
        File.WriteAllText(Path.Combine(Folder, ".m"), "content");
        File.Move(Path.Combine(Folder, ".m"), Path.Combine(Folder, "m"), overwrite: true);
        FileStream next = Append();
        next.Write("half"u8);
        next.Dispose();
        _capture!.Finish(new RunEnd(Violent: true, 137));

        _states.Count.ShouldBe(before + 1);
        File.Exists(Path.Combine(_directory, "staging", _states[^1].Id, "metrics.jsonl")).ShouldBeFalse();
    }

    /// <summary>The script says that all it has written is a state: what it has open since the last one may be half written.</summary>
    [Fact]
    public void Commit_ATextIsOpenSinceTheLastState_IsLeftOutAndSaid()
    {
        Open();
        Write("m");
        string? problem = "";
        _capture!.Commit(null, what => problem = what);
        _capture.Look();
        using FileStream held = Append();
        AddLine(held, "one");
        Write("m");
        _capture.Commit(null, what => problem = what);
        _capture.Look();

        problem.ShouldBeNull();
        _states.Count.ShouldBe(2);
        File.Exists(Path.Combine(_directory, "staging", _states[^1].Id, "metrics.jsonl")).ShouldBeFalse();
        _warnings.ShouldHaveSingleItem().ShouldContain("'metrics.jsonl' is not in the checkpoint that the script has asked for");
    }

    private string Metrics => Path.Combine(Folder, "metrics.jsonl");

    private void OpenRestored(string text)
    {
        string restore = Path.Combine(_directory, "restore");
        foreach (string folder in (string[])[restore, Folder])
        {
            _ = Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, "metrics.jsonl"), text);
            File.WriteAllText(Path.Combine(folder, "m"), "restored");
        }

        Open(new FolderCaptureOptions { RestoreFolder = restore });
    }

    private FileStream Append() => new(Metrics, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);

    private void AddLine(FileStream file, string line)
    {
        file.Write(Encoding.UTF8.GetBytes(line + "\n"));
        file.Flush();
        _capture!.Look();
    }

    private string LastMetrics() => File.ReadAllText(Path.Combine(_directory, "staging", _states[^1].Id, "metrics.jsonl"));
}
