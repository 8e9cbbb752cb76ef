using System.Runtime.Versioning;
using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Files;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>Ways in which a file gets its place other than by being written there, and files that stay open.</summary>
[UnsupportedOSPlatform("windows")]
[Collection(Alone.Name)]
public sealed class PublishedFilesTests : CheckpointFolderHarness
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Look_LinkedIn_IsCompleteAtOnce(bool temporaryNameStays)
    {
        Open(new FolderCaptureOptions(CheckpointCapture.Rename));
        for (int save = 1; save <= 3; save++)
        {
            Link($"state-{save}.bin", temporaryNameStays);
            Pass(seconds: 1);
        }

        _states.Count.ShouldBe(3);
        Staged().ShouldBe(["state-1.bin", "state-2.bin", "state-3.bin"]);
    }

    [Fact]
    public void Look_LinkedAndRenamedInTheSameMoment_AreInTheirOrder()
    {
        Open();
        for (int save = 0; save < 3; save++)
        {
            Link("model.bin");
            string latest = Outside("latest");
            File.WriteAllText(latest, $"{save}");
            File.Move(latest, Path.Combine(Folder, "latest"), overwrite: true);
            Pass(seconds: 5);
        }

        _states.Count.ShouldBe(2, "the first save shows the order");
        _warnings.ShouldBeEmpty();
    }

    [Fact]
    public void Look_WrittenUnderAPlainNameAndRenamedByALink_IsOneFile()
    {
        Open();
        for (int save = 1; save <= 4; save++)
        {
            string making = Path.Combine(Folder, "making");
            File.WriteAllText(making, $"{save}");
            _capture!.Look();
            HardLink.TryCreate(making, Path.Combine(Folder, $"step-{save * 100}.bin")).ShouldBeTrue();
            File.Delete(making);
            Pass(seconds: 5);
        }

        _states.Count.ShouldBe(3);
        Staged().ShouldBe(["step-100.bin", "step-200.bin", "step-300.bin", "step-400.bin"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Look_PointerRemovedAndMadeAnew_IsThatOfItsSave(bool symbolicLink)
    {
        Open();
        string latest = Path.Combine(Folder, "latest");
        for (int save = 1; save <= 6; save++)
        {
            Write($"step_{save}.bin");
            File.Delete(latest);
            _capture!.Look();
            if (symbolicLink)
            {
                _ = File.CreateSymbolicLink(latest, $"step_{save}.bin");
            }
            else
            {
                File.WriteAllText(latest, $"step_{save}.bin");
            }

            Pass(seconds: 5);
            _states.Count.ShouldBe(save - 1, "the first save is compared with nothing");
            if (save == 1)
            {
                continue;
            }

            string staged = StagedFile("latest");
            string? points = symbolicLink ? new FileInfo(staged).LinkTarget : File.ReadAllText(staged);
            points.ShouldBe($"step_{save}.bin");
        }
    }

    [Fact]
    public void Finish_LinkedInAndExitedWell_IsTaken()
    {
        Open();
        Link("state.bin");

        _capture!.Finish(new RunEnd(Violent: false, 0));

        Staged().ShouldBe(["state.bin"]);
    }

    /// <summary>What is written through a mapping is told by no event.</summary>
    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void Finish_ChangedUnseen_IsTakenAfterAGoodEnd(int exitCode, bool taken)
    {
        _ = Directory.CreateDirectory(Folder);
        string array = Path.Combine(Folder, "array.bin");
        File.WriteAllText(array, "restored");
        Open();
        File.SetLastWriteTimeUtc(array, DateTime.UnixEpoch);

        _capture!.Finish(new RunEnd(Violent: false, exitCode));

        _states.Count.ShouldBe(taken ? 1 : 0);
    }

    [Fact]
    public void Finish_NothingChanged_MakesNoStateOfWhatWasRestored()
    {
        _ = Directory.CreateDirectory(Folder);
        File.WriteAllText(Path.Combine(Folder, "m"), "restored");
        Open();

        _capture!.Finish(new RunEnd(Violent: false, 0));

        _states.ShouldBeEmpty();
    }

    /// <summary>The name that it is written under says nothing; the one that it gets has a number.</summary>
    [Fact]
    public void Look_RenamedToANumber_IsASave()
    {
        Open();
        for (int save = 1; save <= 4; save++)
        {
            Rename($"x{save}k", $"ckpt-{save * 100}");
        }

        _states.Count.ShouldBe(3);
        Staged().ShouldBe(["ckpt-100", "ckpt-200", "ckpt-300", "ckpt-400"]);
    }

    /// <summary>Either the former save is kept so, or each save is published so: what stands is one save in both cases.</summary>
    [Theory]
    [InlineData(CheckpointCapture.Auto, "model=400 model-100=100 model-200=200 model-300=300")]
    [InlineData(CheckpointCapture.Rename, "model-100=100 model-200=200 model-300=300 model-400=400")]
    public void Look_RenamedToItsOwnNameAndANumber_IsOneSave(CheckpointCapture mode, string staged)
    {
        Open(new FolderCaptureOptions(mode));
        for (int save = 100; save <= 400; save += 100)
        {
            Rename("model", $"model-{save}", $"{save}");
        }

        string.Join(" ", Staged().Select(name => $"{name}={File.ReadAllText(StagedFile(name))}")).ShouldBe(staged);
    }

    [Fact]
    public void Look_RenamedToItsOwnNameAndANumberForGood_IsSaid()
    {
        Open();
        for (int save = 1; save <= 3; save++)
        {
            Rename($"m{save}x", $"m{save}x.1");
        }

        Pass(minutes: 11);
        _warnings.Single().ShouldContain("'m1x' was renamed as if to keep a former save, and is not written again yet");
    }

    /// <summary>A text that grows is whole at any moment; of another file nobody can tell.</summary>
    [Theory]
    [InlineData("{\"loss\": 0.5}\n", true)]
    [InlineData("\0\u0001 a database", false)]
    public void Look_NeverClosed_IsTakenWhenItIsAText(string content, bool taken)
    {
        using FileStream? held = OpenWithHeld(content);

        _states.ShouldNotBeEmpty();
        Staged().ShouldBe(taken ? ["held", "m"] : ["m"]);
        if (taken)
        {
            File.ReadAllText(StagedFile("held")).ShouldBe(content);
            _warnings.ShouldBeEmpty();
        }
        else
        {
            _warnings.Single().ShouldStartWith("'held' is left out of the checkpoints as long as it is open for writing");
        }
    }

    /// <summary>It stood there before the run: what it was then is not what it is at this save.</summary>
    [Theory]
    [InlineData("two lines\n", true)]
    [InlineData("\0\u0001 a database", false)]
    public void Look_RestoredAndNeverClosed_IsNotTakenAsItWasBefore(string content, bool taken)
    {
        _ = Directory.CreateDirectory(Folder);
        File.WriteAllText(Path.Combine(Folder, "held"), "before");
        File.WriteAllText(Path.Combine(Folder, "m"), "before");
        using FileStream? held = OpenWithHeld(content);

        _states.ShouldNotBeEmpty();
        Staged().ShouldBe(taken ? ["held", "m"] : ["m"]);
        if (taken)
        {
            File.ReadAllText(StagedFile("held")).ShouldBe(content);
        }
    }

    [Fact]
    public void Finish_NeverClosedAndExitedWell_IsTaken()
    {
        OpenWithHeld("\0\u0001 a database").Dispose();

        _capture!.Finish(new RunEnd(Violent: false, 0));

        Staged().ShouldBe(["held", "m"]);
    }

    /// <summary>More than an order can be seen in: it is said at once, what is open stays open, and the good end is taken.</summary>
    [Fact]
    public void Look_ThousandsOfFilesInPlace_IsSaidAndTakenAtTheEnd()
    {
        const int files = 3500;
        Open();
        for (int i = 0; i < files; i++)
        {
            File.WriteAllText(Path.Combine(Folder, $"{i:D4}.bin"), $"{i}");
        }

        Pass(seconds: 5);
        _states.ShouldBeEmpty($"of {_states.Count} states the first has {Missing(files)}; {string.Join("; ", _warnings)}");
        _warnings.Single().ShouldContain("more files are written than an order can be seen in");
        _capture!.Finish(new RunEnd(Violent: false, 0));
        Staged().Length.ShouldBe(files);
        File.ReadAllText(StagedFile("3499.bin")).ShouldBe("3499");
    }

    /// <summary>What the first state lacks of so many files.</summary>
    private string Missing(int files)
    {
        if (_states.Count == 0)
        {
            return "nothing";
        }

        HashSet<string> staged =
        [
            .. Directory.GetFiles(Path.Combine(_directory, "staging", _states[0].Id)).Select(path => Path.GetFileName(path)!),
        ];
        IEnumerable<string> missing = Enumerable.Range(0, files).Select(i => $"{i:D4}.bin").Except(staged).Take(5);
        return $"{staged.Count} files, without {string.Join(", ", missing)}";
    }

    /// <summary>Silence is no silence as long as files wait for the end of the process that closed them.</summary>
    [Fact]
    public void Look_ProcessTakesLongToEnd_WhatItClosedIsNotSilence()
    {
        FakeWitness witness = new();
        Open();
        _capture!.Begin(witness, watch: false);
        Write("m", "o", "best", "m", "o", "m", "o", "m");
        int before = _states.Count;
        before.ShouldBeGreaterThan(0);
        Write("o");
        File.WriteAllText(Path.Combine(Folder, "best"), "half");
        witness.Now = [ProcessOutcome.Pending];
        Pass(minutes: 5);
        witness.Now = [ProcessOutcome.Killed];
        Pass(minutes: 5);

        _states.Count.ShouldBe(before);
    }

    private FileStream OpenWithHeld(string content)
    {
        Open();
        FileStream held = new(Path.Combine(Folder, "held"), FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
        held.Write(System.Text.Encoding.UTF8.GetBytes(content));
        held.Flush();
        Write("m", "m");
        return held;
    }

    private void Rename(string from, string to, string content = "content")
    {
        File.WriteAllText(Path.Combine(Folder, from), content);
        _capture!.Look();
        File.Move(Path.Combine(Folder, from), Path.Combine(Folder, to));
        Pass(seconds: 5);
    }

    private void Link(string name, bool temporaryNameStays = false)
    {
        string temporary = Outside(name);
        File.WriteAllText(temporary, name);
        File.Delete(Path.Combine(Folder, name));
        HardLink.TryCreate(temporary, Path.Combine(Folder, name)).ShouldBeTrue();
        if (!temporaryNameStays)
        {
            File.Delete(temporary);
        }
    }

    private string Outside(string name) => Path.Combine(_directory, name + ".outside");

    private string StagedFile(string name) => Path.Combine(_directory, "staging", _states[^1].Id, name);

    private string[] Staged() =>
        [
            .. Directory
                .GetFiles(Path.GetDirectoryName(StagedFile("x"))!)
                .Select(file => Path.GetFileName(file))
                .Where(name => name != FolderCapture.OrderFile)
                .Order(StringComparer.Ordinal),
        ];
}
