using System.Globalization;
using System.Runtime.Versioning;
using ActorTrainer.Runtime.Workers.Files;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>A script that saves again before the node, on a busy machine, has looked at what it saved before.</summary>
[UnsupportedOSPlatform("windows")]
[Collection(Alone.Name)]
public sealed class LateLooksTests : CheckpointFolderHarness
{
    private int _judged;

    [Fact]
    public void Look_ARotatedFileOneSaveLate_NoStateIsOfTwoSaves()
    {
        Open();
        for (int save = 1; save <= 4; save++)
        {
            Rotate(save);
            LookAndJudge("m", "m.prev");
        }

        _states.Count.ShouldBeGreaterThan(1);
        Rotate(5);
        Rotate(6);
        LookAndJudge("m", "m.prev");
        int late = _states.Count;
        Rotate(7);
        LookAndJudge("m", "m.prev");
        Rotate(8);
        LookAndJudge("m", "m.prev");

        _states.Count.ShouldBeGreaterThan(late, "it is saved on after a save that was lost");
    }

    /// <summary>A folder of one name is swapped: the former one gets another name, and is removed at once.</summary>
    [Theory]
    [InlineData("old.tmp")]
    [InlineData("state.bak")]
    public void Look_AFolderThatWasSwapped_IsAStateEachTime(string aside)
    {
        Open();
        for (int save = 1; save <= 5; save++)
        {
            _ = Directory.CreateDirectory(PathOf("state.tmp"));
            Put("state.tmp/m", save);
            Put("state.tmp/o", save);
            if (save > 1)
            {
                Directory.Move(PathOf("state"), PathOf(aside));
            }

            Directory.Move(PathOf("state.tmp"), PathOf("state"));
            if (save > 1)
            {
                Directory.Delete(PathOf(aside), recursive: true);
            }

            LookAndJudge("state/m", "state/o");
            _states.Count.ShouldBe(save);
        }
    }

    [Fact]
    public void Look_ARotatedFileThatIsRotatedAgainAlready_NoStateIsOfTwoSaves()
    {
        Open();
        for (int save = 1; save <= 4; save++)
        {
            Rotate(save);
            LookAndJudge("m", "m.prev");
        }

        Rotate(5);
        File.Move(PathOf("m"), PathOf("m.prev"), overwrite: true);
        LookAndJudge("m", "m.prev");
        Put("m", 6);
        LookAndJudge("m", "m.prev");

        _states.Count.ShouldBeGreaterThan(1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Look_TwoFilesInPlaceALittleLate_NoStateIsOfTwoSaves(int filesOfTheNext)
    {
        Open();
        string[] names = ["m", "o", "rng"];
        for (int save = 1; save <= 4; save++)
        {
            Save(save, names);
            LookAndJudge("m", "o", "rng");
        }

        _states.Count.ShouldBeGreaterThan(1);
        Save(5, names);
        Save(6, [.. names.Take(filesOfTheNext)]);
        LookAndJudge("m", "o", "rng");
        Save(6, [.. names.Skip(filesOfTheNext)]);
        LookAndJudge("m", "o", "rng");
        int late = _states.Count;
        Save(7, names);
        LookAndJudge("m", "o", "rng");

        _states.Count.ShouldBeGreaterThan(late, "it is saved on after a save that was lost");
    }

    [Fact]
    public void Look_AFileThatIsBeingWrittenAgain_ItsFormerSaveIsNone()
    {
        Open();
        for (int save = 1; save <= 4; save++)
        {
            Save(save, "m", "o");
            LookAndJudge("m", "o");
        }

        Save(5, "m", "o");
        using (FileStream writing = File.Create(PathOf("m")))
        {
            writing.Write("6"u8);
            writing.Flush();
            LookAndJudge("m", "o");
            writing.Write("000"u8);
        }

        LookAndJudge("m", "o");
    }

    [Fact]
    public void Look_ADoneFileLate_WhatIsWrittenAfterItIsNotOfItsState()
    {
        Open(new FolderCaptureOptions { DoneFile = "DONE" });
        Save(1, "m", "o", "DONE");
        LookAndJudge("m", "o", "DONE");
        _states.Count.ShouldBe(1);

        Save(2, "m", "o", "DONE");
        Save(3, "m");
        LookAndJudge("m", "o", "DONE");
        Save(3, "o", "DONE");
        LookAndJudge("m", "o", "DONE");

        _states.Count.ShouldBe(2, "the second is lost");
        _warnings.ShouldHaveSingleItem().ShouldBe("no checkpoint: 'm' was written again, or removed, before it could be kept");
    }

    [Fact]
    public void Look_AFolderThatWasReplacedAlready_NoStateIsOfTwoSaves()
    {
        Open();
        for (int save = 1; save <= 6; save++)
        {
            string made = PathOf("made.tmp");
            _ = Directory.CreateDirectory(made);
            File.WriteAllText(Path.Combine(made, "m"), Text(save));
            File.WriteAllText(Path.Combine(made, "o"), Text(save));
            if (Directory.Exists(PathOf("last")))
            {
                Directory.Delete(PathOf("last"), recursive: true);
            }

            Directory.Move(made, PathOf("last"));
            if (save is not (3 or 5))
            {
                LookAndJudge("last/m", "last/o");
            }
        }

        _states.Count.ShouldBeGreaterThan(2);
    }

    private static string Text(int save) => save.ToString(CultureInfo.InvariantCulture);

    private string PathOf(string name) => Path.Combine(Folder, name);

    private void Rotate(int save)
    {
        if (File.Exists(PathOf("m")))
        {
            File.Move(PathOf("m"), PathOf("m.prev"), overwrite: true);
        }

        Put("m", save);
    }

    private void Put(string name, int save)
    {
        File.WriteAllText(PathOf(name + ".tmp"), Text(save));
        File.Move(PathOf(name + ".tmp"), PathOf(name), overwrite: true);
    }

    private void Save(int save, params string[] names)
    {
        foreach (string name in names)
        {
            File.WriteAllText(PathOf(name), Text(save));
        }
    }

    /// <summary>
    /// Looks until nothing new is seen; every state that comes of it has files of one save, a previous one that of the one before.
    /// </summary>
    private void LookAndJudge(params string[] names)
    {
        for (int i = 0; i < 3; i++)
        {
            _capture!.Look();
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        for (; _judged < _states.Count; _judged++)
        {
            string folder = Path.Combine(_directory, "staging", _states[_judged].Id);
            int[] saves =
            [
                .. names
                    .Where(name => File.Exists(Path.Combine(folder, name)))
                    .Select(name =>
                        int.Parse(File.ReadAllText(Path.Combine(folder, name)), CultureInfo.InvariantCulture)
                        + (name.EndsWith(".prev", StringComparison.Ordinal) ? 1 : 0)
                    ),
            ];
            saves.Distinct().ShouldHaveSingleItem($"state {_judged}: {string.Join(", ", saves)}");
        }
    }
}
