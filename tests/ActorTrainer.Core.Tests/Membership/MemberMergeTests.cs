using System.Text.Json;
using ActorTrainer.Core.Membership;
using FsCheck;
using FsCheck.Fluent;

namespace ActorTrainer.Core.Tests.Membership;

public sealed class MemberMergeTests
{
    // Lives share four addresses; an address belongs to a life for good.
    private static readonly Gen<MemberRecord> Records =
        from incarnation in Gen.Choose(1, 8)
        from state in Gen.Elements(Enum.GetValues<MemberState>())
        from refutation in Gen.Choose(0, 3)
        from cordoned in Gen.Elements(false, true)
        from slots in Gen.Choose(1, 2)
        select new MemberRecord(incarnation, GossipHarness.Address(1 + (incarnation % 4)), "n", slots, state, refutation, cordoned);

    private static readonly Arbitrary<MemberRecord[]> Tables = Gen.ArrayOf(Records).ToArbitrary();

    [Fact]
    public void Merge_AnyTables_IsCommutative() =>
        Prop.ForAll(Tables, Tables, (a, b) => MemberMerge.Merge(a, b).SequenceEqual(MemberMerge.Merge(b, a))).QuickCheckThrowOnFailure();

    [Fact]
    public void Merge_AnyTables_IsAssociative() =>
        Prop.ForAll(Tables, Tables, Tables, (a, b, c) =>
            MemberMerge.Merge(MemberMerge.Merge(a, b), c).SequenceEqual(MemberMerge.Merge(a, MemberMerge.Merge(b, c)))).QuickCheckThrowOnFailure();

    [Fact]
    public void Merge_SameAgain_ChangesNothing() =>
        Prop.ForAll(Tables, Tables, (a, b) =>
        {
            IReadOnlyList<MemberRecord> once = MemberMerge.Merge(a, b);
            return MemberMerge.Merge(once, b).SequenceEqual(once) && MemberMerge.Merge(once, once).SequenceEqual(once);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Merge_FinalLife_NeverComesBack() =>
        Prop.ForAll(Tables, Tables, (a, b) => MemberMerge.Merge(a, []).Where(member => MemberMerge.IsFinal(member.State)).All(member =>
            MemberMerge.IsFinal(MemberMerge.Find(MemberMerge.Merge(a, b), member.Incarnation)!.State))).QuickCheckThrowOnFailure();

    [Fact]
    public void Merge_AnyTables_LeavesOneLifePerAddress() =>
        Prop.ForAll(Tables, Tables, (a, b) => MemberMerge.Merge(a, b).Where(member => !MemberMerge.IsFinal(member.State))
            .GroupBy(member => member.Address).All(lives => lives.Count() == 1)).QuickCheckThrowOnFailure();

    [Fact]
    public void Join_LargerRefutation_UndoesSuspicion()
    {
        MemberRecord suspect = new(1, GossipHarness.Address(1), "n", 1, MemberState.Suspect, 3, false);
        MemberRecord refuted = suspect with { State = MemberState.Up, Refutation = 4 };
        MemberMerge.Join(suspect, refuted).ShouldBe(refuted);
        MemberMerge.Join(suspect with { State = MemberState.Up }, suspect).ShouldBe(suspect);
        MemberMerge.Join(suspect with { State = MemberState.Down }, refuted).State.ShouldBe(MemberState.Down);
    }

    [Fact]
    public void Phi_LongerSilence_IsMoreImprobable()
    {
        PhiAccrual estimate = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2));
        for (int i = 0; i < 300; i++)
        {
            estimate.Observe(TimeSpan.FromMilliseconds(195 + (i % 10)));
        }

        estimate.Phi(TimeSpan.FromMilliseconds(200)).ShouldBeInRange(0.2, 0.4);
        // One, three and six deviations of 100 ms: tails 0.1587, 1.35e-3, 9.87e-10.
        estimate.Phi(TimeSpan.FromMilliseconds(299.5)).ShouldBe(0.7995, 0.001);
        estimate.Phi(TimeSpan.FromMilliseconds(499.5)).ShouldBe(2.8697, 0.001);
        estimate.Phi(TimeSpan.FromMilliseconds(799.5)).ShouldBe(9.0059, 0.001);
        double.IsFinite(estimate.Phi(TimeSpan.FromMinutes(10))).ShouldBeTrue();
    }

    [Fact]
    public void Watched_Ring_EveryMemberHasAsManyWatchers()
    {
        long[] ring = [2, 3, 5, 7, 11, 13];
        foreach (long life in ring)
        {
            ring.Count(other => other != life && RingPolicy.Watched(ring, other, 3, _ => false).Contains(life)).ShouldBe(3);
        }

        RingPolicy.Watched(ring, 11, 3, _ => false).ShouldBe([2L, 3L, 13L]);
        RingPolicy.Watched(ring, 11, 3, life => life == 2).ShouldBe([2L, 3L, 5L, 13L]);
        RingPolicy.Watched(ring, 11, 3, life => life is 13 or 2 or 3).ShouldBe([2L, 3L, 5L, 7L, 13L]);
        RingPolicy.Watched([4], 4, 3, _ => false).ShouldBeEmpty();
    }

    [Fact]
    public void Json_EveryMessage_SurvivesTheRoundTrip()
    {
        MemberRecord record = new(3, GossipHarness.Address(7), "n3", 2, MemberState.Suspect, 5, true);
        Accusation accusation = new(3, 4, AccusationKind.Crashed, 5);
        GossipMessage[] messages =
        [
            new PingMessage(1), new AckMessage(2), new IndirectPingMessage(3, 4), new IndirectAckMessage(5, 6),
            new SyncMessage(true) { Joined = true }, new NewsMessage(),
        ];
        foreach (GossipMessage message in messages)
        {
            GossipMessage full = message with { Records = [record], Accusations = [accusation] };
            string json = JsonSerializer.Serialize(full, CoreJsonContext.Default.GossipMessage);
            GossipMessage read = JsonSerializer.Deserialize(json, CoreJsonContext.Default.GossipMessage)!;
            read.Records.ShouldBe([record]);
            read.Accusations.ShouldBe([accusation]);
            (read with { Records = full.Records, Accusations = full.Accusations }).ShouldBe(full);
        }
    }
}
