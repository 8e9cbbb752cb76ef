using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Journal;
using ActorTrainer.Testing.Journaling;
using Shouldly;
using Xunit;
using static ActorTrainer.Testing.Journaling.JournalSamples;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Testing.Conformance;

/// <summary>What every journal does. This part: appends, claims and read models.</summary>
public abstract partial class JournalConformance : IAsyncLifetime
{
    /// <summary>Shards of the journal under test.</summary>
    protected const int NumberOfShards = 8;

    private readonly List<IJournal> _opened = [];
    private IJournal _journal = null!;

    /// <summary>The clock that the journal under test is given.</summary>
    protected ManualTimeProvider Time { get; } = new();

    /// <inheritdoc />
    public async ValueTask InitializeAsync() => _journal = await OpenTrackedAsync();

    /// <inheritdoc />
    public virtual async ValueTask DisposeAsync()
    {
        foreach (IJournal journal in _opened)
        {
            await journal.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Opens the journal under test once more, as another node would; the first call finds it empty.</summary>
    protected abstract Task<IJournal> OpenAsync();

    [Fact]
    public async Task Append_NewTask_IsReadBackWithTermAndTime()
    {
        ShardRow shard = await OwnShardAsync(3);
        AppendResult result = await _journal.AppendAsync(Part("a", shard, 0, "i1", Submitted("a"), Progressed(5)));

        result.ShouldBe(new AppendAccepted(2));
        IReadOnlyList<EventRow> events = await _journal.EventsAsync("a");
        events.Select(row => (row.Sequence, row.Term, row.Time)).ShouldBe([(1, shard.Term, Time.GetUtcNow()), (2, shard.Term, Time.GetUtcNow())]);
        events[0].Event.ShouldBeOfType<TaskSubmitted>().Spec.Command.ShouldBe(["python3", "train.py"]);
        events[1].Event.ShouldBeOfType<TaskProgressed>().Progress.Metrics["loss"].ShouldBe(1.0 / 6);
    }

    [Fact]
    public async Task Append_SentAgain_IsAcceptedWithItsSequenceAndWritesNothing()
    {
        ShardRow shard = await OwnShardAsync(0);
        TaskAppend first = Part("a", shard, 0, "i1", Submitted("a"), Progressed(1));
        await _journal.AppendAsync(first);
        await _journal.AppendAsync(Part("a", shard, 2, "i2", Progressed(2)));

        (await _journal.AppendAsync(first)).ShouldBe(new AppendAccepted(2));
        (await _journal.EventsAsync("a")).Count.ShouldBe(3);
    }

    [Fact]
    public async Task Append_SentAgainAfterTheShardWasGivenAway_IsStillAccepted()
    {
        ShardRow shard = await OwnShardAsync(0);
        TaskAppend submitted = Part("a", shard, 0, "i1", Submitted("a"));
        await _journal.AppendAsync(submitted);
        ShardRow next = await _journal.GiveAsync(0, await _journal.RegisterAsync(7002));
        await _journal.AppendAsync(Part("a", next, 1, "i2", Progressed(1)));

        (await _journal.AppendAsync(submitted)).ShouldBe(new AppendAccepted(1));
        (await _journal.AppendAsync(Part("a", shard, 1, "i3", Progressed(1)))).ShouldBe(new AppendFenced(next.Owner, next.Term));
        (await _journal.EventsAsync("a")).Count.ShouldBe(2);
    }

    [Fact]
    public async Task Append_OneOfASetFenced_ItsNeighboursGoThrough()
    {
        ShardRow mine = await OwnShardAsync(1);
        var lost = new ShardRow(2, mine.Owner, 1);
        AppendReply reply = await _journal.AskAsync<AppendReply>(new AppendRequest(
            [Part("a", mine, 0, "i1", Submitted("a")), Part("b", lost, 0, "i2", Submitted("b")), Part("c", mine, 0, "i3", Submitted("c"))]));

        reply.Results.ShouldBe([new AppendAccepted(1), new AppendFenced(0, 0), new AppendAccepted(1)]);
        (await _journal.EventsAsync("b")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, 1)]
    public async Task Append_OtherOwnerOrTerm_IsFenced(long ownerOffset, long termOffset)
    {
        ShardRow shard = await OwnShardAsync(1);
        ShardRow wrong = shard with { Owner = shard.Owner + ownerOffset, Term = shard.Term + termOffset };

        (await _journal.AppendAsync(Part("a", wrong, 0, "i1", Submitted("a")))).ShouldBe(new AppendFenced(shard.Owner, shard.Term));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(NumberOfShards)]
    public async Task Append_ShardWithoutOwner_IsFenced(int shard) =>
        (await _journal.AppendAsync(Part("a", new ShardRow(shard, 0, 0), 0, "i1", Submitted("a")))).ShouldBe(new AppendFenced(0, 0));

    [Fact]
    public async Task Append_OtherSequence_IsConflictWithTheLast()
    {
        ShardRow shard = await OwnShardAsync(0);
        await _journal.AppendAsync(Part("a", shard, 0, "i1", Submitted("a"), Progressed(1)));

        (await _journal.AppendAsync(Part("a", shard, 1, "i2", Progressed(2)))).ShouldBe(new AppendConflict(2));
        (await _journal.AppendAsync(Part("a", shard, 3, "i3", Progressed(2)))).ShouldBe(new AppendConflict(2));
        (await _journal.AppendAsync(Part("b", shard, 1, "i4", Progressed(2)))).ShouldBe(new AppendConflict(0));
    }

    [Fact]
    public async Task Append_NameOfAnotherTask_IsNameTakenEvenWhenThatHasFinished()
    {
        ShardRow shard = await OwnShardAsync(0);
        TaskAppend first = Part("a-1", shard, 0, "i1", Submitted("a"));
        await _journal.AppendAsync(first with { Summary = Summary("a-1", 0, TaskStatus.Completed, name: "a") });
        TaskAppend second = Part("a-2", shard, 0, "i2", Submitted("a")) with { Summary = Summary("a-2", 0, name: "a") };

        (await _journal.AppendAsync(second)).ShouldBe(new AppendNameTaken(TaskId.Parse("a-1"), "hash-of-a-1"));
        (await _journal.EventsAsync("a-2")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Append_TwoPartsOfOneTask_AreJudgedInOrder()
    {
        ShardRow shard = await OwnShardAsync(0);
        AppendReply reply = await _journal.AskAsync<AppendReply>(new AppendRequest(
            [Part("a", shard, 0, "i1", Submitted("a")), Part("a", shard, 1, "i2", Progressed(1)), Part("a", shard, 1, "i3", Progressed(2))]));

        reply.Results.ShouldBe([new AppendAccepted(1), new AppendAccepted(2), new AppendConflict(2)]);
    }

    [Fact]
    public async Task Append_WithoutEvents_Throws()
    {
        TaskAppend empty = Part("a", new ShardRow(0, 1, 1), 0, "i1");
        await Should.ThrowAsync<ArgumentException>(() => _journal.SendAsync(new AppendRequest([empty]), CancellationToken.None));
    }

    [Fact]
    public async Task Append_ManyAtOnce_AllGoThrough()
    {
        ShardRow shard = await OwnShardAsync(0);
        AppendResult[] results = await Task.WhenAll(Enumerable.Range(0, 50).Select(i =>
            Task.Run(() => _journal.AppendAsync(Part($"t-{i}", shard, 0, $"i{i}", Submitted($"t-{i}"))))));

        results.ShouldAllBe(result => result == new AppendAccepted(1));
        (await _journal.AskAsync<ListTasksReply>(new ListTasksRequest())).Tasks.Count.ShouldBe(50);
    }

    [Fact]
    public async Task Claim_UnfinishedTasks_ComeByPriorityThenIdWithAllEvents()
    {
        ShardRow shard = await OwnShardAsync(0);
        foreach ((string task, TaskStatus status, int priority) in new[]
        {
            ("low", TaskStatus.Running, 1), ("b", TaskStatus.Paused, 5), ("a", TaskStatus.Held, 5), ("done", TaskStatus.Completed, 9),
        })
        {
            await _journal.AppendAsync(Part(task, shard, 0, $"i-{task}", Submitted(task), Progressed(1)) with
            {
                Summary = Summary(task, 0, status, priority),
            });
        }

        ClaimReply reply = await _journal.AskAsync<ClaimReply>(
            new ClaimRequest(shard.Owner, [new ShardTerm(0, shard.Term), new ShardTerm(1, 1)]));

        reply.Tasks.Select(task => task.Task.Value).ShouldBe(["a", "b", "low"]);
        reply.Tasks.ShouldAllBe(task => task.Events.Count == 2 && task.LastSequence == 2 && task.Snapshot == null);
        reply.Fenced.ShouldBe([new ShardRow(1, 0, 0)]);
    }

    [Fact]
    public async Task Claim_Snapshot_ShortensTheEventsUnlessOfAnotherFoldVersion()
    {
        ShardRow shard = await OwnShardAsync(0);
        var snapshot = new TaskSnapshotRow(2, 7, """{"folded":true}""");
        await _journal.AppendAsync(Part("a", shard, 0, "i1", Submitted("a"), Progressed(1)) with { Snapshot = snapshot });
        await _journal.AppendAsync(Part("a", shard, 2, "i2", Progressed(2)));
        var ask = new ClaimRequest(shard.Owner, [new ShardTerm(0, shard.Term)]);

        ClaimedTask any = (await _journal.AskAsync<ClaimReply>(ask)).Tasks.ShouldHaveSingleItem();
        ClaimedTask same = (await _journal.AskAsync<ClaimReply>(ask with { FoldVersion = 7 })).Tasks.ShouldHaveSingleItem();
        ClaimedTask other = (await _journal.AskAsync<ClaimReply>(ask with { FoldVersion = 8 })).Tasks.ShouldHaveSingleItem();

        any.Snapshot.ShouldBe(snapshot);
        any.Events.ShouldHaveSingleItem().ShouldBeOfType<TaskProgressed>().Progress.Step.ShouldBe(2);
        (same.Snapshot, same.Events.Count).ShouldBe((snapshot, 1));
        (other.Snapshot, other.Events.Count, other.LastSequence).ShouldBe((null, 3, 3));
    }

    [Fact]
    public async Task ListTasks_Filters_NewestFirstWithTimes()
    {
        ShardRow shard = await OwnShardAsync(0);
        DateTimeOffset start = Time.GetUtcNow();
        await _journal.AppendAsync(Part("a", shard, 0, "i1", Submitted("a")));
        Time.Advance(TimeSpan.FromSeconds(90));
        await _journal.AppendAsync(Part("b", shard, 0, "i2", Submitted("b")));
        await _journal.AppendAsync(Part("a", shard, 1, "i3", new TaskCancelled()) with { Summary = Summary("a", 0, TaskStatus.Cancelled) });

        IReadOnlyList<TaskListing> all = (await _journal.AskAsync<ListTasksReply>(new ListTasksRequest())).Tasks;
        all.Select(task => task.Summary.Name).ShouldBe(["b", "a"]);
        (all[1].SubmittedAt, all[1].ChangedAt, all[1].Summary.Status).ShouldBe((start, start.AddSeconds(90), TaskStatus.Cancelled));
        (await ListAsync(new ListTasksRequest(Unfinished: true))).ShouldBe(["b"]);
        (await ListAsync(new ListTasksRequest(Name: "a"))).ShouldBe(["a"]);
        (await ListAsync(new ListTasksRequest(Task: TaskId.Parse("b")))).ShouldBe(["b"]);
        (await ListAsync(new ListTasksRequest(Unfinished: true, Name: "a"))).ShouldBeEmpty();
    }

    [Fact]
    public async Task ListEvents_AfterAndLimit_GiveThePage()
    {
        ShardRow shard = await OwnShardAsync(0);
        await _journal.AppendAsync(Part("a", shard, 0, "i1", [Submitted("a"), .. Enumerable.Range(1, 9).Select(i => Progressed(i))]));

        (await PageAsync(4, 3)).ShouldBe([5, 6, 7]);
        (await PageAsync(8, 100)).ShouldBe([9, 10]);
        (await PageAsync(10, 100)).ShouldBeEmpty();
        (await _journal.EventsAsync("nobody")).ShouldBeEmpty();

        async Task<IEnumerable<long>> PageAsync(long after, int limit) =>
            (await _journal.AskAsync<ListEventsReply>(new ListEventsRequest(TaskId.Parse("a"), after, limit))).Events.Select(row => row.Sequence);
    }

    [Fact]
    public async Task ListCheckpoints_FollowsTheEvents()
    {
        ShardRow shard = await OwnShardAsync(0);
        await _journal.AppendAsync(Part("a", shard, 0, "i1", Submitted("a"), new TaskCheckpointed(Checkpoint("c-1")), new TaskCheckpointed(Checkpoint("c-2"))));
        await _journal.AppendAsync(Part("b", shard, 0, "i2", Submitted("b"), new TaskCheckpointed(Checkpoint("c-1", step: 99))));
        await _journal.AppendAsync(Part("a", shard, 3, "i3", new TaskCheckpointed(Checkpoint("c-3")), new TaskCheckpointDamaged("c-2", "flipped")));
        await _journal.AppendAsync(Part("a", shard, 5, "i4", new TaskCheckpointRemoved("c-1", "keep-last"), new TaskPacksCondemned(["p-c-1"])));

        IReadOnlyList<CheckpointListing> ofA =
            (await _journal.AskAsync<ListCheckpointsReply>(new ListCheckpointsRequest(TaskId.Parse("a")))).Checkpoints;
        IReadOnlyList<CheckpointListing> all = (await _journal.AskAsync<ListCheckpointsReply>(new ListCheckpointsRequest())).Checkpoints;

        ofA.Select(row => (row.Checkpoint.Name, row.Damaged)).ShouldBe([("c-3", false), ("c-2", true)]);
        all.Select(row => (row.Task.Value, row.Checkpoint.Name)).ShouldBe([("a", "c-3"), ("b", "c-1"), ("a", "c-2")]);
        (all[1].Checkpoint.Step, all[1].Term, all[1].Time).ShouldBe((99, shard.Term, Time.GetUtcNow()));
        all[1].Checkpoint.Packs.ShouldBe(["p-c-1"]);
    }

    [Fact]
    public async Task SendAsync_AfterDispose_Fails()
    {
        IJournal journal = await OpenTrackedAsync();
        await journal.DisposeAsync();

        (await journal.SendAsync(new BeatRequest(1, 1), CancellationToken.None)).ShouldBeOfType<JournalFailed>();
        (await journal.SendAsync(new ReadClusterRequest(-1), CancellationToken.None)).ShouldBeOfType<JournalFailed>();
    }

    private async Task<IJournal> OpenTrackedAsync()
    {
        IJournal journal = await OpenAsync();
        _opened.Add(journal);
        return journal;
    }

    private async Task<ShardRow> OwnShardAsync(int shard) => await _journal.GiveAsync(shard, await _journal.RegisterAsync(7001));

    private async Task<IEnumerable<string>> ListAsync(ListTasksRequest request) =>
        (await _journal.AskAsync<ListTasksReply>(request)).Tasks.Select(task => task.Summary.Name);
}
