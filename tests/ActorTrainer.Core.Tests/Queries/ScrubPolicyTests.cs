using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tests.Tasks;

namespace ActorTrainer.Core.Tests.Queries;

public sealed class ScrubPolicyTests
{
    private static readonly TimeSpan Week = TimeSpan.FromDays(7);
    private static readonly DateTimeOffset Now = new(2026, 3, 14, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Due_SavedOrReadBackLongAgo_NewestFirst() =>
        Names(
                ScrubPolicy.Due(
                    [Saved("young", 1), Saved("read", 20, verified: 2), Saved("old", 8), Saved("read-long-ago", 30, verified: 7)],
                    Now,
                    Week,
                    knownSince: Now
                )
            )
            .ShouldBe(["old", "read-long-ago"]);

    [Fact]
    public void Due_Damaged_IsNotReadAgain() =>
        ScrubPolicy.Due([Saved("bad", 20) with { Damaged = true }], Now, Week, Now - Week).ShouldBeEmpty();

    [Fact]
    public void Due_AllAreReplacedSooner_TheNewestOnceInThatTime()
    {
        CheckpointListing[] young = [Saved("newest", 0), Saved("second", 1)];
        ScrubPolicy.Due(young, Now, Week, Now - TimeSpan.FromDays(6)).ShouldBeEmpty("the task is not known that long");
        Names(ScrubPolicy.Due(young, Now, Week, Now - Week)).ShouldBe(["newest"]);
        ScrubPolicy.Due([Saved("newest", 0), Saved("second", 3, verified: 2)], Now, Week, Now - Week).ShouldBeEmpty("one was read");
        Names(ScrubPolicy.Due([Saved("bad", 0) with { Damaged = true }, Saved("good", 1)], Now, Week, Now - Week)).ShouldBe(["good"]);
    }

    [Fact]
    public void Due_TimeOfSaveNotKnown_CountsFromWhenItWasListed()
    {
        CheckpointListing listed = Saved("copy", 0);
        listed = listed with { Checkpoint = listed.Checkpoint with { SavedAt = null }, Time = Now - Week };
        Names(ScrubPolicy.Due([listed], Now, Week, Now)).ShouldBe(["copy"]);
    }

    [Fact]
    public void Suspects_ShareAPackWithADamagedOne()
    {
        CheckpointListing[] listed =
        [
            Saved("third", 1, packs: ["p3", "p1"]),
            Saved("second", 2, packs: ["p2"]),
            Saved("first", 3, packs: ["p1"]) with
            {
                Damaged = true,
            },
        ];
        Names(ScrubPolicy.Suspects(listed, ["first"])).ShouldBe(["third"]);
        ScrubPolicy.Suspects(listed, []).ShouldBeEmpty();
    }

    private static string[] Names(IEnumerable<CheckpointListing> listed) => [.. listed.Select(c => c.Checkpoint.Name)];

    private static CheckpointListing Saved(string name, double daysAgo, double? verified = null, string[]? packs = null)
    {
        DateTimeOffset at = Now - TimeSpan.FromDays(daysAgo);
        return new CheckpointListing(
            EntityDriver.Id,
            EntityDriver.Ref(name, 1) with
            {
                SavedAt = at,
                Packs = packs ?? [$"packs/{name}.pack"],
            },
            1,
            at,
            false
        )
        {
            VerifiedAt = verified is { } days ? Now - TimeSpan.FromDays(days) : null,
        };
    }
}
