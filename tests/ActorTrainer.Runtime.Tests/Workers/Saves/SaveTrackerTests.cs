using System.Globalization;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Runtime.Tests.Workers.Saves;

public sealed class SaveTrackerTests
{
    private const int Saves = 2000;
    private const int OneIn = 4;

    /// <summary>A run may save all night long: what it saved at first does not slow down, or end, what it saves last.</summary>
    [Theory]
    [InlineData("m o")]
    [InlineData("model-step# opt-step#")]
    [InlineData("m o best?")]
    [InlineData("best? m o")]
    [InlineData("rank0 rank1 latest")]
    public void Complete_ThousandsOfSaves_EachIsTaken(string pattern)
    {
        SaveTracker<string> tracker = new(CheckpointCapture.Auto, new Dictionary<string, string>(), []);
        Random chance = new(1);
        int taken = 0;
        long now = 0;
        for (int save = 1; save <= Saves; save++)
        {
            bool best = save == 1 || chance.Next(OneIn) == 0;
            now += 1000;
            foreach (string part in pattern.Split(' ').Where(part => best || !part.EndsWith('?')))
            {
                string path = part.TrimEnd('?').Replace("#", (save * 100).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
                tracker.Complete(path, $"{save}", now++, renamed: false);
                if (tracker.Due is { } due)
                {
                    taken++;
                    tracker.Taken();
                    due.Where(file =>
                            !file.Key.Contains("best", StringComparison.Ordinal) && !file.Key.Contains("step", StringComparison.Ordinal)
                        )
                        .Select(file => file.Value)
                        .Distinct()
                        .Count()
                        .ShouldBeLessThan(2, string.Join(' ', due));
                }
            }
        }

        tracker.Unclear.ShouldBeNull();
        taken.ShouldBeGreaterThan(Saves * 9 / 10);
    }

    /// <summary>
    /// A script says itself when its files are one state, since their order shows nothing: nor does it in its next run, before it has said
    /// so there.
    /// </summary>
    [Fact]
    public void Complete_TheRunBeforeHasSaidItself_NothingIsTakenByTheOrder()
    {
        SaveTracker<string> before = new(CheckpointCapture.Auto, new Dictionary<string, string>(), []);
        long now = 0;
        for (int save = 1; save <= 4; save++)
        {
            string[] order = save % 2 == 0 ? ["o", "m"] : ["m", "o"];
            Array.ForEach(order, path => before.Complete(path, $"{save}", now += 1000, renamed: false));
            before.Commit(said: true);
            before.Taken();
        }

        SaveTracker<string> next = new(
            CheckpointCapture.Auto,
            before.State.ToDictionary(file => file.Key, file => file.Value!),
            before.Learned()
        );
        foreach (string path in (string[])["m", "o", "o", "m", "m", "o"])
        {
            next.Complete(path, "5", now += 1000, renamed: false);
            next.Tick(now + PathKeys.PauseMilliseconds);
            next.Due.ShouldBeNull();
        }

        next.Learned().ShouldBe(LearnedOrder.Said, "the run after that is to wait as well");
        next.Commit(said: true);
        next.Due!.Values.ShouldBe(["5", "5"]);
    }

    /// <summary>That a script has ended well is no word of its own.</summary>
    [Fact]
    public void Commit_AtAGoodEnd_LeavesTheOrderToTheNextRun()
    {
        SaveTracker<string> tracker = new(CheckpointCapture.Auto, new Dictionary<string, string>(), []);
        tracker.Complete("m", "1", 1, renamed: false);
        tracker.Complete("o", "1", 2, renamed: false);
        tracker.Commit(said: false);

        tracker.Due!.Count.ShouldBe(2);
        tracker.HasSaid.ShouldBeFalse();
        tracker.Learned().ShouldHaveSingleItem().ShouldBe(["m", "o"]);
    }

    /// <summary>A save that shows itself to be whole when the next one begins has nothing of what that was called before.</summary>
    [Fact]
    public void Forget_TheNameThatTheNextSaveBeginsWith_IsNotInTheSaveBefore()
    {
        SaveTracker<string> tracker = new(CheckpointCapture.Auto, new Dictionary<string, string>(), []);
        long now = 0;
        string[][] saves =
        [
            ["m", "o", "best"],
            ["m", "o"],
            ["m", "o", "best"],
            ["m", "o"],
            ["m"],
        ];
        foreach ((int number, string path) in saves.SelectMany((save, number) => save.Select(path => (number, path))))
        {
            tracker.Taken();
            tracker.Complete($"made-{path}", $"{number}", now += 1000, renamed: false);
            tracker.Forget($"made-{path}");
            tracker.Complete(path, $"{number}", now++, renamed: true);
        }

        tracker.Due.ShouldNotBeNull().ShouldBe([new("best", "2"), new("m", "3"), new("o", "3")]);
    }

    /// <summary>Numbers behind a word that is not known: after a restart they go on, and parts of one save begin anew.</summary>
    [Theory]
    [InlineData("model_10 latest", "model_30 latest", true)]
    [InlineData("latest model_1", "latest model_2", true)]
    [InlineData("model_0 model_1 latest", "model_0 latest", false)]
    [InlineData("model_1 model_0 latest", "model_1 latest", false)]
    public void Complete_FirstSaveOfALaterRun_IsTakenWhereItsNumberGoesOn(string earlier, string now, bool taken)
    {
        SaveTracker<string> tracker = new(CheckpointCapture.Auto, new Dictionary<string, string>(), [earlier.Split(' ')]);
        long at = 0;
        foreach (string path in now.Split(' '))
        {
            tracker.Due.ShouldBeNull();
            tracker.Complete(path, path, at++, renamed: false);
        }

        (tracker.Due is not null).ShouldBe(taken);
    }

    /// <summary>A file is closed later than those behind it where a process was forked while it was open.</summary>
    [Fact]
    public void Complete_OneOfManyPartsIsLate_NothingIsTakenWithoutIt()
    {
        SaveTracker<string> tracker = new(CheckpointCapture.Auto, new Dictionary<string, string>(), []);
        foreach (int part in (int[])[0, 1, 2, 4, 5, 3, 6, 7])
        {
            tracker.Complete($"foo_{part}", $"{part}", part, renamed: false);
            tracker.Due.ShouldBeNull($"part {part}");
        }
    }
}
