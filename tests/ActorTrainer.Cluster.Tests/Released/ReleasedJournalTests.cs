using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ActorTrainer.Cluster.Members;
using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Released;

namespace ActorTrainer.Cluster.Tests.Released;

/// <summary>The tables of journals that released versions have written, read as a node of this version does.</summary>
public sealed class ReleasedJournalTests
{
    public static TheoryData<string> Versions() => [.. ReleasedJournal.Versions];

    [Theory]
    [MemberData(nameof(Versions))]
    public Task Schema_OfAReleasedJournal_IsAccepted(string version) =>
        OnJournalAsync(
            version,
            async (database, model) =>
            {
                (await JournalSchema.EnsureAsync(database, model, CancellationToken.None)).ShouldNotBeEmpty();
                MemberRow member = (await new ClusterTable(database).ReadAsync(CancellationToken.None)).Rows.ShouldHaveSingleItem();
                member.Member.Version.ShouldBe(version);
                member.Epoch.ShouldBe(1);
            }
        );

    [Theory]
    [MemberData(nameof(Versions))]
    public Task Rows_OfAReleasedJournal_ListEveryTask(string version) =>
        OnJournalAsync(
            version,
            async (database, model) =>
            {
                TaskRowTable table = new(database, model.Sharding.NumberOfShards);
                List<TaskListing> all = await table.ListAsync(new TaskFilter(), CancellationToken.None);
                all.ToDictionary(t => t.Summary.Name, t => t.Summary.Status).ShouldBe(ReleaseScenario.Expected, ignoreOrder: true);
                (await table.ReadChangesAsync(0, CancellationToken.None)).Rows.Count.ShouldBe(all.Count(t => !t.Summary.IsFinished));
                foreach (TaskListing task in all)
                {
                    (await table.FindNameAsync(task.Summary.Name, CancellationToken.None)).ShouldBe(task.Summary.Task);
                    List<CheckpointListing> listed = await table.ListCheckpointsAsync(task.Summary.Task, CancellationToken.None);
                    listed.FirstOrDefault()?.Checkpoint.Name.ShouldBe(task.Summary.LastCheckpoint?.Name);
                }

                MetricSeries series = await new MetricTable(database).ReadAsync(IdOf(all, ReleaseScenario.Running), CancellationToken.None);
                series.Points.ShouldNotBeEmpty();
                series.Points.ShouldAllBe(p => p.Metrics.ContainsKey("loss"));
                (await table.FindNameAsync(ReleaseScenario.Archived, CancellationToken.None)).ShouldBeNull();
            }
        );

    /// <summary>A fold that gives another state for events or snapshots that were written fails here.</summary>
    [Theory]
    [MemberData(nameof(Versions))]
    public Task Histories_OfAReleasedJournal_AddUpToTheirRows(string version) =>
        OnJournalAsync(
            version,
            async (database, model) =>
            {
                TaskRowTable table = new(database, model.Sharding.NumberOfShards);
                foreach (TaskListing task in await table.ListAsync(new TaskFilter(), CancellationToken.None))
                {
                    TaskSummary row = task.Summary;
                    List<ReadEvent> events = await EventTable.ReadAsync(database, row.Task, 0, int.MaxValue, CancellationToken.None);
                    events.Where(e => e.Problem is not null).ShouldBeEmpty();
                    List<(long At, FoldedTask Folded)> snapshots = await SnapshotsAsync(database, row);
                    TaskState? start = events[0].Sequence > 1 ? snapshots[0].Folded.State : null;
                    (events[0].Sequence - 1).ShouldBe(start is null ? 0 : snapshots[0].At, "nothing is missing");

                    foreach ((long at, FoldedTask folded) in snapshots)
                    {
                        Json(folded.State).ShouldBe(Json(Fold(row, start, events.Where(e => e.Sequence <= at))));
                    }

                    // Progress stands in the row alone.
                    TaskState state = Fold(row, start, events);
                    Json(state.Summarize(row.Shard) with { Progress = row.Progress }).ShouldBe(Json(row), $"{version} {row.Name}");
                    (await table.SequenceOfAsync(row.Task, CancellationToken.None)).ShouldBe(events[^1].Sequence);
                }
            }
        );

    [Theory]
    [MemberData(nameof(Versions))]
    public Task Bodies_OfAReleasedJournal_AreReadWithAllTheirFields(string version) =>
        OnJournalAsync(
            version,
            async (database, _) =>
            {
                CoreJsonContext json = CoreJsonContext.Default;
                int events = await CompareAsync(database, "SELECT message, manifest FROM actortrainer_event", Rewrite);
                int snapshots = await CompareAsync(database, "SELECT snapshot, manifest FROM actortrainer_snapshot", Rewrite);
                int rows = await CompareAsync(database, "SELECT summary, '' FROM actortrainer_task", Through(json.TaskSummary));
                await CompareAsync(database, "SELECT checkpoints, '' FROM actortrainer_task", Through(json.ListCheckpointListing));
                int series = await CompareAsync(database, "SELECT series, '' FROM actortrainer_metrics", Through(json.MetricSeries));
                int archived = await CompareAsync(database, "SELECT summary, '' FROM actortrainer_archive", Through(json.TaskSummary));

                events.ShouldBeGreaterThan(TrainingTaskActor.SnapshotEvery);
                (snapshots, rows, series, archived).ShouldBe((2, ReleaseScenario.Expected.Count, 3, 1));
            }
        );

    private static async Task OnJournalAsync(string version, Func<JournalDatabase, NodeModel, Task> test)
    {
        using JournalFolder folder = new();
        NodeModel model = await ReleasedJournal.RestoreAsync(version, folder.Model, folder.Folder);
        await test(folder.Database, model);
    }

    private static TaskState Fold(TaskSummary row, TaskState? start, IEnumerable<ReadEvent> events) =>
        TaskState.Fold(row.Task, start, events.Select(e => e.Written!.Event)).ShouldNotBeNull();

    private static Core.Identity.TaskId IdOf(List<TaskListing> tasks, string name) =>
        tasks.Single(t => t.Summary.Name == name).Summary.Task;

    private static async Task<List<(long At, FoldedTask Folded)>> SnapshotsAsync(JournalDatabase database, TaskSummary row)
    {
        List<(long, byte[], string)> found = await database.ReadAsync(
            session =>
                session.QueryAsync(
                    "SELECT sequence_number, snapshot, manifest FROM actortrainer_snapshot WHERE persistence_id = @a ORDER BY 1",
                    r => (r.GetInt64(0), r.GetFieldValue<byte[]>(1), r.GetString(2)),
                    TaskPersistence.IdOf(row.Task)
                ),
            CancellationToken.None
        );
        return [.. found.Select(f => (f.Item1, Used(ActorTrainerSerializer.Read(f.Item2, f.Item3))))];
    }

    private static FoldedTask Used(object snapshot)
    {
        FoldedTask? folded = SnapshotVersions.OfProduct.Read(snapshot, out string? problem);
        problem.ShouldBeNull();
        return folded!;
    }

    /// <summary>Reads every body and writes it again; how many there are.</summary>
    private static async Task<int> CompareAsync(JournalDatabase database, string sql, Func<string, string, string> rewrite)
    {
        List<(string Body, string Manifest)> bodies = await database.ReadAsync(
            session => session.QueryAsync(sql, r => (Encoding.UTF8.GetString(r.GetFieldValue<byte[]>(0)), r.GetString(1))),
            CancellationToken.None
        );
        foreach ((string body, string manifest) in bodies)
        {
            KeptJson.ShouldBeIn(body, rewrite(body, manifest), sql);
        }

        return bodies.Count;
    }

    private static string Rewrite(string body, string manifest) =>
        Encoding.UTF8.GetString(ActorTrainerSerializer.Write(ActorTrainerSerializer.Read(Encoding.UTF8.GetBytes(body), manifest)));

    private static Func<string, string, string> Through<T>(JsonTypeInfo<T> type) =>
        (body, _) => JsonSerializer.Serialize(JsonSerializer.Deserialize(body, type), type!);

    private static string Json(TaskState state) => JsonSerializer.Serialize(state, CoreJsonContext.Default.TaskState);

    private static string Json(TaskSummary summary) => JsonSerializer.Serialize(summary, CoreJsonContext.Default.TaskSummary);
}
