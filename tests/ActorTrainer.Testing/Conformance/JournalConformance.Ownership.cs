using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Journal;
using ActorTrainer.Testing.Journaling;
using Shouldly;
using Xunit;
using static ActorTrainer.Testing.Journaling.JournalSamples;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Testing.Conformance;

/// <summary>This part: members, the lease, owners of shards, life locks.</summary>
public abstract partial class JournalConformance
{
    [Fact]
    public async Task Register_SecondLifeAtAnAddress_MakesTheFirstDown()
    {
        IJournal other = await OpenTrackedAsync();
        RegisterReply first = await _journal.AskAsync<RegisterReply>(new RegisterRequest(Member(7001)));
        RegisterReply neighbour = await other.AskAsync<RegisterReply>(new RegisterRequest(Member(7002)));
        RegisterReply second = await _journal.AskAsync<RegisterReply>(new RegisterRequest(Member(7001, MemberStatus.Joining)));

        (first.Incarnation, neighbour.Incarnation, second.Incarnation).ShouldBe((1, 2, 3));
        (first.JournalIdentity, neighbour.JournalIdentity).ShouldBe((second.JournalIdentity, second.JournalIdentity));
        (await _journal.ReadAsync()).Members.Select(member => (member.Incarnation, member.Status))
            .ShouldBe([(2, MemberStatus.Up), (3, MemberStatus.Joining)]);
        (await _journal.AskAsync<SetMemberReply>(new SetMemberRequest(1, MemberStatus.Up, null, 1, 0))).Accepted.ShouldBeFalse();
    }

    [Fact]
    public async Task Register_Row_IsReadBackWhole()
    {
        await _journal.RegisterAsync(7001);

        MemberRow row = (await _journal.ReadAsync()).Members.ShouldHaveSingleItem();
        row.Roles.ShouldBe(["gpu", "train"]);
        (row with { Roles = [] }).ShouldBe(Member(7001) with { Incarnation = 1, Roles = [] });
    }

    [Fact]
    public async Task SetMember_ByItself_ChangesStatusAndCordonUntilFinal()
    {
        long member = await _journal.RegisterAsync(7001, MemberStatus.Joining);

        (await SetAsync(member, MemberStatus.Up, null)).ShouldBeTrue();
        (await SetAsync(member, null, true)).ShouldBeTrue();
        (await _journal.ReadAsync()).Members.Select(row => (row.Status, row.Cordoned)).ShouldBe([(MemberStatus.Up, true)]);
        (await SetAsync(member, MemberStatus.Removed, null)).ShouldBeTrue();
        (await SetAsync(member, MemberStatus.Removed, null)).ShouldBeTrue();
        (await SetAsync(member, MemberStatus.Up, null)).ShouldBeFalse();
        (await SetAsync(member, null, false)).ShouldBeFalse();
        (await SetAsync(99, MemberStatus.Up, null)).ShouldBeFalse();
        (await _journal.ReadAsync()).Members.ShouldHaveSingleItem().Status.ShouldBe(MemberStatus.Removed);
    }

    [Fact]
    public async Task SetMember_ByTheCoordinator_OnlyUnderItsLeaseTerm()
    {
        long one = await _journal.RegisterAsync(7001);
        long two = await _journal.RegisterAsync(7002);
        LeaseRow lease = await _journal.TakeLeaseAsync(one);

        (await SetAsync(two, MemberStatus.Down, null, one, lease.Term + 1)).ShouldBeFalse();
        (await SetAsync(two, MemberStatus.Down, null, two, lease.Term)).ShouldBeFalse();
        (await SetAsync(two, MemberStatus.Down, null, one, lease.Term)).ShouldBeTrue();
        (await SetAsync(two, MemberStatus.Down, null, one, lease.Term)).ShouldBeTrue();
        (await SetAsync(two, MemberStatus.Up, null, one, lease.Term)).ShouldBeFalse();
    }

    [Fact]
    public async Task Take_SeenBeat_OnlyTheFirstTakerGetsIt()
    {
        (await _journal.AskAsync<LeaseReply>(new TakeRequest(1, 0))).ShouldBe(new LeaseReply(true, new LeaseRow(1, 1, 1)));
        (await _journal.AskAsync<LeaseReply>(new TakeRequest(2, 0))).ShouldBe(new LeaseReply(false, new LeaseRow(1, 1, 1)));
        (await _journal.AskAsync<LeaseReply>(new BeatRequest(1, 1))).ShouldBe(new LeaseReply(true, new LeaseRow(1, 1, 2)));
        (await _journal.AskAsync<LeaseReply>(new TakeRequest(2, 1))).ShouldBe(new LeaseReply(false, new LeaseRow(1, 1, 2)));
        (await _journal.AskAsync<LeaseReply>(new TakeRequest(2, 2))).ShouldBe(new LeaseReply(true, new LeaseRow(2, 2, 3)));
        (await _journal.AskAsync<LeaseReply>(new BeatRequest(1, 1))).ShouldBe(new LeaseReply(false, new LeaseRow(2, 2, 3)));
    }

    [Fact]
    public async Task Take_SentAgain_IsAcceptedAndChangesNothing()
    {
        await _journal.AskAsync<LeaseReply>(new TakeRequest(1, 0));

        (await _journal.AskAsync<LeaseReply>(new TakeRequest(1, 0))).ShouldBe(new LeaseReply(true, new LeaseRow(1, 1, 1)));
    }

    [Fact]
    public async Task Take_ByALifeThatIsDown_IsRefused()
    {
        long old = await _journal.RegisterAsync(7001);
        await _journal.RegisterAsync(7001);

        (await _journal.AskAsync<LeaseReply>(new TakeRequest(old, 0))).ShouldBe(new LeaseReply(false, new LeaseRow(0, 0, 0)));
    }

    [Fact]
    public async Task Resign_Holder_LeavesTheLeaseToTheNext()
    {
        await _journal.AskAsync<LeaseReply>(new TakeRequest(1, 0));

        (await _journal.AskAsync<LeaseReply>(new ResignRequest(2, 1))).Accepted.ShouldBeFalse();
        (await _journal.AskAsync<LeaseReply>(new ResignRequest(1, 1))).ShouldBe(new LeaseReply(true, new LeaseRow(0, 1, 2)));
        (await _journal.AskAsync<LeaseReply>(new ResignRequest(1, 1))).ShouldBe(new LeaseReply(true, new LeaseRow(0, 1, 2)));
        (await _journal.AskAsync<LeaseReply>(new BeatRequest(1, 1))).Accepted.ShouldBeFalse();
        (await _journal.AskAsync<LeaseReply>(new TakeRequest(2, 2))).ShouldBe(new LeaseReply(true, new LeaseRow(2, 2, 3)));
    }

    [Fact]
    public async Task Assign_EachShardByItself_OnlyExpectedTermAndTargetUp()
    {
        long one = await _journal.RegisterAsync(7001);
        long joining = await _journal.RegisterAsync(7002, MemberStatus.Joining);
        LeaseRow lease = await _journal.TakeLeaseAsync(one);

        AssignReply reply = await AssignAsync(one, lease.Term, (0, 0, one), (1, 1, one), (2, 0, joining), (3, 0, 0), (NumberOfShards, 0, one), (4, 0, one));

        reply.LeaseHeld.ShouldBeTrue();
        reply.Rows.ShouldBe(
            [new(0, one, 1), new(1, 0, 0), new(2, 0, 0), new(3, 0, 0), new(NumberOfShards, 0, 0), new(4, one, 1)]);
        (await _journal.ReadAsync()).Shards.ShouldBe(
            [new(0, one, 1), new(1, 0, 0), new(2, 0, 0), new(3, 0, 0), new(4, one, 1), new(5, 0, 0), new(6, 0, 0), new(7, 0, 0)]);
    }

    [Fact]
    public async Task Assign_SentAgain_ChangesNothing()
    {
        long one = await _journal.RegisterAsync(7001);
        LeaseRow lease = await _journal.TakeLeaseAsync(one);
        await AssignAsync(one, lease.Term, (0, 0, one));

        (await AssignAsync(one, lease.Term, (0, 0, one))).Rows.ShouldBe([new ShardRow(0, one, 1)]);
    }

    [Fact]
    public async Task Assign_WithoutTheLease_IsRefused()
    {
        long one = await _journal.RegisterAsync(7001);
        long two = await _journal.RegisterAsync(7002);
        LeaseRow old = await _journal.TakeLeaseAsync(one);
        LeaseRow now = await _journal.TakeLeaseAsync(two);

        AssignReply overtaken = await AssignAsync(one, old.Term, (0, 0, one));
        AssignReply otherTerm = await AssignAsync(two, now.Term + 1, (0, 0, two));

        (overtaken.LeaseHeld, otherTerm.LeaseHeld).ShouldBe((false, false));
        overtaken.Rows.Concat(otherTerm.Rows).ShouldBe([new ShardRow(0, 0, 0), new ShardRow(0, 0, 0)]);
    }

    [Fact]
    public async Task HandOver_Owner_GivesToAMemberThatIsUp()
    {
        long one = await _journal.RegisterAsync(7001);
        long two = await _journal.RegisterAsync(7002);
        long joining = await _journal.RegisterAsync(7003, MemberStatus.Joining);
        ShardRow shard = await _journal.GiveAsync(0, one);

        (await HandOverAsync(two, (0, shard.Term, two))).ShouldBe([shard]);
        (await HandOverAsync(one, (0, shard.Term + 1, two))).ShouldBe([shard]);
        (await HandOverAsync(one, (0, shard.Term, joining))).ShouldBe([shard]);
        (await HandOverAsync(one, (0, shard.Term, two))).ShouldBe([new ShardRow(0, two, shard.Term + 1)]);
        (await HandOverAsync(one, (0, shard.Term, two))).ShouldBe([new ShardRow(0, two, shard.Term + 1)]);
        (await HandOverAsync(0, (1, 0, two))).ShouldBe([new ShardRow(1, 0, 0)]);
    }

    [Fact]
    public async Task ReadCluster_KnownVersion_GivesOnlyLeaseAndMembers()
    {
        ShardRow shard = await OwnShardAsync(0);
        await _journal.AppendAsync(Part("a", shard, 0, "i1", Submitted("a")));
        ClusterRows all = await _journal.ReadAsync();
        ClusterRows known = await _journal.ReadAsync(all.Version);

        (all.Shards.Count, all.Tasks.Count, all.Members.Count).ShouldBe((NumberOfShards, 1, 1));
        (known.Shards.Count, known.Tasks.Count, known.Members.Count).ShouldBe((0, 0, 1));
        (known.Version, known.Lease).ShouldBe((all.Version, all.Lease));
    }

    [Fact]
    public async Task ReadCluster_Version_GrowsWithWhatAllocationLooksAtOnly()
    {
        ShardRow shard = await OwnShardAsync(0);
        long version = (await _journal.ReadAsync()).Version;
        long sequence = 0;
        TaskSummary summary = Summary("a", 0);

        await AppendAsync(summary, grows: true);
        await AppendAsync(summary, grows: false);
        await AppendAsync(summary = summary with { Progress = new TaskProgress(7, null, 0, new Dictionary<string, double>()), Detail = "x" }, grows: false);
        await AppendAsync(summary = summary with { Status = TaskStatus.Running }, grows: true);
        await AppendAsync(summary = summary with { AvoidIncarnation = 4 }, grows: true);
        await AppendAsync(summary = summary with { Alone = true }, grows: true);
        await AppendAsync(summary = summary with { Priority = 3 }, grows: true);
        await AppendAsync(summary with { Status = TaskStatus.Completed }, grows: true);
        (await _journal.ReadAsync()).Tasks.ShouldBeEmpty();
        await _journal.AskAsync<LeaseReply>(new BeatRequest(shard.Owner, 1));
        (await _journal.ReadAsync()).Version.ShouldBe(version);
        await SetAsync(shard.Owner, null, true);
        (await _journal.ReadAsync()).Version.ShouldBeGreaterThan(version);

        async Task AppendAsync(TaskSummary after, bool grows)
        {
            TaskEvent taskEvent = sequence == 0 ? Submitted("a") : Progressed(sequence);
            (await _journal.AppendAsync(Part("a", shard, sequence, $"i{sequence}", taskEvent) with { Summary = after })).ShouldBe(new AppendAccepted(++sequence));
            long now = (await _journal.ReadAsync()).Version;
            (now > version).ShouldBe(grows);
            version = now;
        }
    }

    [Fact]
    public async Task IsLifeLockFree_HeldUntilDispose()
    {
        IJournal other = await OpenTrackedAsync();
        (await _journal.IsLifeLockFreeAsync(7, CancellationToken.None)).ShouldBeNull();
        await other.HoldLifeLockAsync(7, CancellationToken.None);
        (await _journal.IsLifeLockFreeAsync(7, CancellationToken.None)).ShouldBe(false);
        (await other.IsLifeLockFreeAsync(7, CancellationToken.None)).ShouldBe(false);
        await other.DisposeAsync();
        (await _journal.IsLifeLockFreeAsync(7, CancellationToken.None)).ShouldBe(true);
    }

    [Fact]
    public async Task Handles_OfOneJournal_SeeEachOthersWrites()
    {
        IJournal other = await OpenTrackedAsync();
        ShardRow shard = await OwnShardAsync(0);
        await _journal.AppendAsync(Part("a", shard, 0, "i1", Submitted("a")));

        (await other.AskAsync<ClaimReply>(new ClaimRequest(shard.Owner, [new ShardTerm(0, shard.Term)]))).Tasks.ShouldHaveSingleItem();
        (await other.AppendAsync(Part("a", shard, 0, "i2", Submitted("a")))).ShouldBe(new AppendConflict(1));
    }

    private async Task<bool> SetAsync(long member, MemberStatus? status, bool? cordoned, long holder = 0, long term = 0) =>
        (await _journal.AskAsync<SetMemberReply>(new SetMemberRequest(member, status, cordoned, holder, term))).Accepted;

    private async Task<AssignReply> AssignAsync(long holder, long leaseTerm, params (int Shard, long Term, long Owner)[] assignments) =>
        await _journal.AskAsync<AssignReply>(new AssignRequest(holder, leaseTerm, [.. assignments.Select(a => new ShardAssignment(a.Shard, a.Term, a.Owner))]));

    private async Task<IReadOnlyList<ShardRow>> HandOverAsync(long owner, params (int Shard, long Term, long Target)[] assignments) =>
        (await _journal.AskAsync<HandOverReply>(new HandOverRequest(owner, [.. assignments.Select(a => new ShardAssignment(a.Shard, a.Term, a.Target))]))).Rows;
}
