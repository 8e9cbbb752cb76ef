using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Cluster.Tests.Support;
using Akka.TestKit.Xunit2;
using Microsoft.Extensions.Logging.Abstractions;

namespace ActorTrainer.Cluster.Tests.Tasks;

/// <summary>On SQLite. A rehearsal that does not come to its end delays the start of every node, and nobody is told but the log.</summary>
public sealed class TaskRehearsalTests : TestKit, IAsyncLifetime
{
    private readonly JournalFolder _folder;
    private JournalDatabase _database = null!;

    public TaskRehearsalTests()
        : this(new JournalFolder()) { }

    private TaskRehearsalTests(JournalFolder folder)
        : base(TestSystems.InSql(folder.Model)) => _folder = folder;

    public async Task InitializeAsync() => _database = await _folder.OpenAsync();

    public async Task DisposeAsync()
    {
        await Sys.Terminate();
        _folder.Dispose();
    }

    [Fact]
    public async Task Run_OnAFreshJournal_ComesToItsEndAndLeavesNothing()
    {
        TaskRehearsal rehearsal = new(Sys, _database, life: 7, TimeProvider.System, NullLogger.Instance);

        (await rehearsal.RunAsync(CancellationToken.None)).ShouldBeTrue();

        List<long> left = await _database.ReadAsync(
            session => session.QueryAsync($"SELECT COUNT(*) FROM {TaskPersistence.EventTable}", r => r.GetInt64(0)),
            CancellationToken.None
        );
        left.ShouldBe([0]);
    }
}
