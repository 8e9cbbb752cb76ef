using System.Globalization;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Journaling;
using static ActorTrainer.Testing.Journaling.JournalSamples;

namespace ActorTrainer.Journal.Tests;

/// <summary>Several processes on one SQLite journal; their deaths and stops.</summary>
[Trait("Lane", "Slow")]
public sealed class SqliteProcessTests : IDisposable
{
    private const int KilledBySignal9 = 128 + 9;
    private readonly JournalFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Append_ThreeProcessesContending_AllEventsStand()
    {
        await using SqliteJournal journal = await _folder.OpenAsync();
        ShardRow shard = await journal.GiveAsync(0, await journal.RegisterAsync(7001));
        await using ChildProcess one = ChildProcess.Write(_folder.Database, "one", shard);
        await using ChildProcess two = ChildProcess.Write(_folder.Database, "two", shard);

        Task<List<string>> untilOne = one.ReadUntilAsync(line => line == "40");
        Task<List<string>> untilTwo = two.ReadUntilAsync(line => line == "40");
        long mine = 0;
        while (!untilOne.IsCompleted || !untilTwo.IsCompleted)
        {
            TaskEvent taskEvent = mine == 0 ? Submitted("three") : Progressed(mine);
            (await journal.AppendAsync(Part("three", shard, mine, $"i{mine}", taskEvent))).ShouldBe(new AppendAccepted(++mine));
        }

        (await untilOne).ShouldBe(Enumerable.Range(1, 40).Select(i => i.ToString(CultureInfo.InvariantCulture)));
        (await untilTwo).Count.ShouldBe(40);
        (await journal.EventsAsync("three")).Count.ShouldBe((int)mine);
    }

    [Fact]
    public async Task Kill9_InTheMiddleOfWrites_LosesNothingAcknowledgedAndFreesTheLocks()
    {
        await using SqliteJournal journal = await _folder.OpenAsync();
        long owner = await journal.RegisterAsync(7001);
        ShardRow shard = await journal.GiveAsync(0, owner);
        for (int round = 0; round < 3; round++)
        {
            string task = $"task-{round}";
            int killAt = 20 + (round * 13);
            await using ChildProcess child = ChildProcess.Write(_folder.Database, task, shard);
            List<string> acknowledged = await child.ReadUntilAsync(line => line == killAt.ToString(CultureInfo.InvariantCulture));
            (await journal.IsLifeLockFreeAsync(owner, CancellationToken.None)).ShouldBe(false);
            child.Kill();
            acknowledged.AddRange(await child.ReadUntilAsync(_ => false));
            await child.WaitForExitAsync();

            IReadOnlyList<EventRow> events = await journal.EventsAsync(task);
            events.Count.ShouldBeGreaterThanOrEqualTo(acknowledged.Count);
            events.Select(row => row.Sequence).ShouldBe(Enumerable.Range(1, events.Count).Select(i => (long)i));
            (await journal.IsLifeLockFreeAsync(owner, CancellationToken.None)).ShouldBe(true);
            (await journal.AppendAsync(Part(task, shard, events.Count, "after", Progressed(0)))).ShouldBe(new AppendAccepted(events.Count + 1));
        }

        using var check = Sqlite.JournalConnection.OpenReader(_folder.Database);
        check.First("PRAGMA integrity_check", static reader => reader.GetString(0)).ShouldBe("ok");
    }

    [Fact]
    public async Task Append_LockHeldForLonger_FailsNamingTheHolderAndIsNotDoneLater()
    {
        await using SqliteJournal journal = await _folder.OpenAsync(_folder.Options() with { Limit = TimeSpan.FromMilliseconds(300) });
        await using ChildProcess holder = await ChildProcess.HoldAsync(_folder.Database, 5);

        JournalReply refused = await journal.SendAsync(new TakeRequest(1, 0), CancellationToken.None);
        refused.ShouldBeOfType<JournalFailed>().Reason.ShouldContain(string.Create(CultureInfo.InvariantCulture, $"held by pid {holder.Pid} "));
        (await journal.ReadAsync()).Lease.ShouldBe(new LeaseRow(0, 0, 0));
        await holder.SayAsync();
        (await holder.ReadLineAsync()).ShouldBe("released");

        (await journal.AskAsync<LeaseReply>(new TakeRequest(2, 0))).Lease.ShouldBe(new LeaseRow(2, 1, 1));
    }

    [Fact]
    public async Task Append_LockHeldForAWhile_GoesThroughAfterwards()
    {
        await using SqliteJournal journal = await _folder.OpenAsync(_folder.Options() with { Limit = TimeSpan.FromMinutes(1) });
        await using ChildProcess holder = await ChildProcess.HoldAsync(_folder.Database, 5);

        Task<LeaseReply> waiting = journal.AskAsync<LeaseReply>(new TakeRequest(1, 0));
        waiting.IsCompleted.ShouldBeFalse();
        await holder.SayAsync();

        (await waiting).Accepted.ShouldBeTrue();
        holder.HasExited.ShouldBeFalse();
    }

    [Fact]
    public async Task ConfirmDown_StoppedHolder_IsKilledAndTheWriteGoesThrough()
    {
        await using SqliteJournal journal = await _folder.OpenAsync(_folder.Options() with { Limit = TimeSpan.FromMinutes(1) });
        await using ChildProcess holder = await ChildProcess.HoldAsync(_folder.Database, 5);
        holder.Stop();
        Task<LeaseReply> waiting = journal.AskAsync<LeaseReply>(new TakeRequest(1, 0));

        journal.ConfirmDown(5);

        (await waiting).Accepted.ShouldBeTrue();
        (await holder.WaitForExitAsync()).ShouldBe(KilledBySignal9);
    }

    [Fact]
    public async Task ConfirmDown_AnotherIncarnation_LeavesTheHolderAlone()
    {
        await using SqliteJournal journal = await _folder.OpenAsync(_folder.Options() with { Limit = TimeSpan.FromMilliseconds(400) });
        await using ChildProcess holder = await ChildProcess.HoldAsync(_folder.Database, 5);
        journal.ConfirmDown(4);

        (await journal.SendAsync(new TakeRequest(1, 0), CancellationToken.None)).ShouldBeOfType<JournalFailed>();
        holder.HasExited.ShouldBeFalse();
    }

    [Fact]
    public async Task OpenAsync_LockHeldForLonger_ThrowsLocked()
    {
        await (await _folder.OpenAsync()).DisposeAsync();
        await using ChildProcess holder = await ChildProcess.HoldAsync(_folder.Database, 5);
        Sqlite.SqliteJournalOptions options = _folder.Options() with
        {
            Limit = TimeSpan.FromMilliseconds(100),
            OpenLimit = TimeSpan.FromMilliseconds(200),
        };

        JournalOpenException thrown = await Should.ThrowAsync<JournalOpenException>(() => _folder.OpenAsync(options));
        thrown.Failure.ShouldBe(JournalOpenFailure.Locked);
        thrown.Message.ShouldContain(holder.Pid.ToString(CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task FencingVariable_Off_LetsAnOldOwnerWriteAndIsCounted()
    {
        await using SqliteJournal journal = await _folder.OpenAsync();
        ShardRow old = await journal.GiveAsync(0, await journal.RegisterAsync(7001));
        ShardRow now = await journal.GiveAsync(0, await journal.RegisterAsync(7002));
        await journal.AppendAsync(Part("t", now, 0, "i1", Submitted("t"), Progressed(1)));

        await using ChildProcess fenced = ChildProcess.Write(_folder.Database, "t", old);
        (await fenced.ReadLineAsync()).ShouldBe(new AppendFenced(now.Owner, now.Term).ToString());
        (await DoubleWriters.CountAsync(_folder.Database)).ShouldBe(0);

        await using ChildProcess unfenced = ChildProcess.Write(_folder.Database, "t", old, fencing: false);
        (await unfenced.ReadLineAsync()).ShouldBe("3");
        unfenced.Kill();
        await unfenced.WaitForExitAsync();
        (await DoubleWriters.CountAsync(_folder.Database)).ShouldBeGreaterThan(0);
    }
}
