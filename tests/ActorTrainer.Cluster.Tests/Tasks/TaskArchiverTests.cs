using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Microsoft.Extensions.Logging.Abstractions;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cluster.Tests.Tasks;

public sealed class TaskArchiverTests() : TestKit(TestSystems.InMemory()), IAsyncLifetime
{
    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(20);

    private readonly JournalFolder _folder = new();
    private TaskRowTable _table = null!;

    public async Task InitializeAsync() => _table = new TaskRowTable(await _folder.OpenAsync(), 16);

    public async Task DisposeAsync()
    {
        await Sys.Terminate();
        _folder.Dispose();
    }

    [Fact]
    public async Task Look_WhileItCoordinates_AsksEndedTasksThatAreTooOldToArchiveThemselves()
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        await WriteAsync("old-a1b2c", now.AddDays(-2), TaskStatus.Failed);
        await WriteAsync("young-a1b2c", now, TaskStatus.Completed);
        await WriteAsync("runs-a1b2c", now.AddDays(-2), TaskStatus.Running);
        TestProbe region = CreateTestProbe();
        bool coordinates = false;
        Start(new JournalModel { KeepFinished = TimeSpan.FromDays(1) }, () => coordinates, region);

        region.ExpectNoMsg(TimeSpan.FromMilliseconds(200));
        coordinates = true;

        for (int i = 0; i < 2; i++)
        {
            // Again and again, for as long as it is on record.
            TaskRequest asked = region.ExpectMsg<TaskRequest>(TimeSpan.FromSeconds(10));
            (asked.Task.Value, asked.Command).ShouldBe(("old-a1b2c", new ArchiveTask()));
        }
    }

    [Fact]
    public async Task Look_TheDatabaseFails_LooksAgain()
    {
        TestProbe region = CreateTestProbe();
        await RunAsync("ALTER TABLE actortrainer_task RENAME TO away");
        Start(new JournalModel { MaxFinished = 0 }, () => true, region);
        region.ExpectNoMsg(TimeSpan.FromMilliseconds(200));

        await RunAsync("ALTER TABLE away RENAME TO actortrainer_task");
        await WriteAsync("old-a1b2c", TimeProvider.System.GetUtcNow(), TaskStatus.Completed);

        region.ExpectMsg<TaskRequest>(TimeSpan.FromSeconds(10)).Task.Value.ShouldBe("old-a1b2c");
    }

    private void Start(JournalModel model, Func<bool> coordinates, IActorRef region) =>
        Sys.ActorOf(
            Props.Create(() => new TaskArchiver(_table, model, coordinates, () => region, Often, TimeProvider.System, NullLogger.Instance))
        );

    private Task WriteAsync(string id, DateTimeOffset at, TaskStatus status)
    {
        TaskState state = new()
        {
            Task = TaskId.Parse(id),
            Spec = TaskFixture.Spec,
            Status = status,
        };
        return _table.WriteAsync([new RowWrite(new TaskRow(state.Summarize(3), 3, 1, 0, at, at), null, null)], [], CancellationToken.None);
    }

    private Task RunAsync(string sql) => _folder.Database.WriteAsync(session => session.RunAsync(sql), CancellationToken.None);
}
