using ActorTrainer.Core.Journaling;
using ActorTrainer.Journal.Sqlite;
using ActorTrainer.Testing.Journaling;
using Microsoft.Data.Sqlite;
using static ActorTrainer.Testing.Journaling.JournalSamples;

namespace ActorTrainer.Journal.Tests;

/// <summary>What an SQLite journal does when the disk, the file or a request is bad.</summary>
public sealed class SqliteFaultTests : IDisposable
{
    private readonly JournalFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("PRAGMA query_only = ON", "is read-only")]
    [InlineData("PRAGMA max_page_count = 1", "is full")]
    public async Task Append_WhileTheFileCannotBeWritten_FailsWithTheReasonAndRecoversByItself(string fault, string reason)
    {
        JournalConnection? writer = null;
        await using SqliteJournal journal = await _folder.OpenAsync(_folder.Options() with { OnWriterOpened = opened => writer = opened });
        ShardRow shard = await journal.GiveAsync(0, await journal.RegisterAsync(7001));
        await journal.AppendAsync(Part("a", shard, 0, "i1", Submitted("a")));
        writer.ShouldNotBeNull().Run(fault);

        // Large enough to need new pages.
        TaskAppend append = Part("a", shard, 1, "i2", [.. Enumerable.Range(0, 400).Select(i => Progressed(i))]);
        JournalReply refused = await journal.SendAsync(new AppendRequest([append]), CancellationToken.None);
        refused.ShouldBeOfType<JournalFailed>().Reason.ShouldContain(reason);
        refused.ShouldBeOfType<JournalFailed>().Reason.ShouldContain(_folder.Database);
        (await journal.EventsAsync("a")).Count.ShouldBe(1);

        // The fault went with the connection, and the journal has opened another.
        (await journal.AppendAsync(append)).ShouldBe(new AppendAccepted(401));
    }

    [Fact]
    public async Task Append_FullDisk_FailsUntilThereIsSpaceAgain()
    {
        using SmallDisk? disk = SmallDisk.TryMount(Path.Combine(_folder.Root, "disk"));
        if (disk is null)
        {
            // Without the right to mount, the limit on pages stands in for the disk's.
            await Append_WhileTheFileCannotBeWritten_FailsWithTheReasonAndRecoversByItself("PRAGMA max_page_count = 1", "is full");
            return;
        }

        await using SqliteJournal journal = await _folder.OpenAsync(new SqliteJournalOptions(Path.Combine(disk.Root, "journal.db"), 8));
        ShardRow shard = await journal.GiveAsync(0, await journal.RegisterAsync(7001));
        await journal.AppendAsync(Part("a", shard, 0, "i1", Submitted("a")));
        disk.Fill();

        TaskAppend append = Part("a", shard, 1, "i2", [.. Enumerable.Range(0, 400).Select(i => Progressed(i))]);
        for (int i = 0; i < 3; i++)
        {
            (await journal.SendAsync(new AppendRequest([append]), CancellationToken.None))
                .ShouldBeOfType<JournalFailed>().Reason.ShouldContain("is full");
            (await journal.EventsAsync("a")).Count.ShouldBe(1);
        }

        disk.Free();
        (await journal.AppendAsync(append)).ShouldBe(new AppendAccepted(401));
    }

    [Fact]
    public async Task Append_FileVanishedOrBecameAnother_FailsAndMakesNoNewJournal()
    {
        JournalConnection? writer = null;
        await using SqliteJournal journal = await _folder.OpenAsync(_folder.Options() with { OnWriterOpened = opened => writer = opened });
        writer.ShouldNotBeNull().Run("PRAGMA query_only = ON");
        (await journal.SendAsync(new TakeRequest(1, 0), CancellationToken.None)).ShouldBeOfType<JournalFailed>();
        foreach (string file in Directory.GetFiles(_folder.Root, "journal.db*"))
        {
            File.Delete(file);
        }

        (await journal.SendAsync(new TakeRequest(1, 0), CancellationToken.None))
            .ShouldBeOfType<JournalFailed>().Reason.ShouldContain("cannot be opened");
        File.Exists(_folder.Database).ShouldBeFalse();

        await using SqliteJournal other = await _folder.OpenAsync();
        (await journal.SendAsync(new TakeRequest(1, 0), CancellationToken.None))
            .ShouldBeOfType<JournalFailed>().Reason.ShouldContain("became another journal");
        (await other.ReadAsync()).Lease.ShouldBe(new LeaseRow(0, 0, 0));
    }

    [Fact]
    public async Task Send_OneRequestOfABatchIsBad_ItsNeighboursGoThrough()
    {
        await using SqliteJournal journal = await _folder.OpenAsync();
        Task<JournalReply>[] replies;
        using (var held = JournalLock.Open(_folder.Options().LockPath))
        {
            held.Acquire(0);
            replies =
            [
                journal.SendAsync(new TakeRequest(1, 0), CancellationToken.None),
                journal.SendAsync(new RegisterRequest(Member(7001) with { Version = null! }), CancellationToken.None),
                journal.SendAsync(new RegisterRequest(Member(7002)), CancellationToken.None),
            ];
        }

        JournalReply[] answers = await Task.WhenAll(replies);
        answers[0].ShouldBe(new LeaseReply(true, new LeaseRow(1, 1, 1)));
        answers[1].ShouldBeOfType<JournalFailed>();
        answers[2].ShouldBeOfType<RegisterReply>().Incarnation.ShouldBe(1);
    }

    [Fact]
    public async Task Send_CancelledWhileItWaits_IsNeverDone()
    {
        await using SqliteJournal journal = await _folder.OpenAsync();
        using (var held = JournalLock.Open(_folder.Options().LockPath))
        {
            held.Acquire(0);
            using var source = new CancellationTokenSource();
            Task<JournalReply> waiting = journal.SendAsync(new TakeRequest(1, 0), source.Token);
            await source.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(() => waiting);
        }

        (await journal.AskAsync<LeaseReply>(new TakeRequest(2, 0))).Lease.ShouldBe(new LeaseRow(2, 1, 1));
    }

    [Fact]
    public async Task Dispose_WhileAWriteWaitsForTheLock_AnswersItAsFailed()
    {
        SqliteJournal journal = await _folder.OpenAsync(_folder.Options() with { Limit = TimeSpan.FromMilliseconds(200) });
        using var held = JournalLock.Open(_folder.Options().LockPath);
        held.Acquire(0);
        Task<JournalReply> waiting = journal.SendAsync(new TakeRequest(1, 0), CancellationToken.None);
        await journal.DisposeAsync();

        (await waiting).ShouldBeOfType<JournalFailed>();
    }

    [Fact]
    public async Task Checkpoint_WhenDue_KeepsTheWalSmallAndTheEventsWhole()
    {
        SqliteJournalOptions options = _folder.Options() with { WritesPerCheckpoint = 4, TruncateWalBytes = 100_000 };
        await using SqliteJournal journal = await _folder.OpenAsync(options);
        ShardRow shard = await journal.GiveAsync(0, await journal.RegisterAsync(7001));
        for (int i = 0; i < 60; i++)
        {
            await journal.AppendAsync(Part("a", shard, i, $"i{i}", i == 0 ? Submitted("a") : Progressed(i)));
            new FileInfo(options.WalPath).Length.ShouldBeLessThan(400_000);
        }

        (await journal.EventsAsync("a")).Count.ShouldBe(60);
    }

    [Fact]
    public async Task Dispose_LeavesTheWal_AndTheNextOpeningReadsIt()
    {
        SqliteJournalOptions options = _folder.Options();
        string identity;
        await using (SqliteJournal journal = await _folder.OpenAsync(options))
        {
            identity = journal.Identity;
            await journal.AskAsync<LeaseReply>(new TakeRequest(1, 0));
        }

        new FileInfo(options.WalPath).Length.ShouldBeGreaterThan(0);
        await using SqliteJournal again = await _folder.OpenAsync(options);
        again.Identity.ShouldBe(identity);
        (await again.ReadAsync()).Lease.ShouldBe(new LeaseRow(1, 1, 1));
    }

    [Fact]
    public async Task OpenAsync_OtherNumberOfShards_SaysBothAndWhatToDo()
    {
        await (await _folder.OpenAsync()).DisposeAsync();

        JournalOpenException thrown = await RefusedAsync(_folder.Options(shards: 16), JournalOpenFailure.OtherNumberOfShards);
        thrown.Message.ShouldContain("has 8 shards, but 16 are configured");
        thrown.Message.ShouldContain("actortrainer.sharding.number-of-shards = 8");
    }

    [Fact]
    public async Task OpenAsync_UnknownSchema_SaysTheVersions()
    {
        await (await _folder.OpenAsync()).DisposeAsync();
        Execute("UPDATE journal SET schema_version = 99");

        (await RefusedAsync(_folder.Options(), JournalOpenFailure.UnknownSchema)).Message.ShouldContain("schema version 99");
    }

    [Fact]
    public async Task OpenAsync_OtherFile_IsRefused()
    {
        Execute("CREATE TABLE notes (text TEXT)");
        (await RefusedAsync(_folder.Options(), JournalOpenFailure.NotAJournal)).Message.ShouldContain(_folder.Database);

        string text = Path.Combine(_folder.Root, "text.db");
        await File.WriteAllTextAsync(text, new string('x', 5000));
        (await RefusedAsync(new SqliteJournalOptions(text, 8), JournalOpenFailure.Unusable)).Message.ShouldContain("not an SQLite database");
    }

    [Fact]
    public async Task OpenAsync_FolderThatCannotBeMade_IsRefused()
    {
        string file = Path.Combine(_folder.Root, "file");
        await File.WriteAllTextAsync(file, "");

        (await RefusedAsync(new SqliteJournalOptions(Path.Combine(file, "journal.db"), 8), JournalOpenFailure.Unusable)).Message
            .ShouldContain("cannot be made");
    }

    [Theory]
    [InlineData(0x6969u, "NFS")]
    [InlineData(0xFF534D42u, "CIFS")]
    [InlineData(0xFE534D42u, "SMB2")]
    [InlineData(0x01021997u, "9p")]
    [InlineData(0x00C36400u, "Ceph")]
    [InlineData(0xEF53u, null)]
    [InlineData(0x01021994u, null)]
    public void NetworkName_MagicNumber_TellsNetworkFromLocal(uint type, string? name) => FileSystemCheck.NetworkName(type).ShouldBe(name);

    [Fact]
    public void StartTimeOf_ThisProcessAndNone_TellsThemApart()
    {
        ProcessIdentity.StartTimeOf(Environment.ProcessId).ShouldBe(ProcessIdentity.Current.StartTime);
        ProcessIdentity.Current.IsRunning.ShouldBeTrue();
        (ProcessIdentity.Current with { StartTime = 1 }).IsRunning.ShouldBeFalse();
        ProcessIdentity.StartTimeOf(int.MaxValue).ShouldBeNull();
    }

    private async Task<JournalOpenException> RefusedAsync(SqliteJournalOptions options, JournalOpenFailure failure)
    {
        JournalOpenException thrown = await Should.ThrowAsync<JournalOpenException>(() => _folder.OpenAsync(options));
        thrown.Failure.ShouldBe(failure);
        return thrown;
    }

    private void Execute(string sql)
    {
        SQLitePCL.Batteries_V2.Init();
        using var connection = new SqliteConnection($"Data Source={_folder.Database};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
