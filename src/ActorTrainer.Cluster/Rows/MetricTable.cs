using System.Text.Json;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Core;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cluster.Rows;

/// <summary>
/// The metrics of each task over time, in a table beside its row: a row is written each second, and they are many times as large.
/// </summary>
internal sealed class MetricTable(JournalDatabase database)
{
    /// <summary>The metrics of a task; of one that has told none, and of one that is not known, an empty series.</summary>
    public async Task<MetricSeries> ReadAsync(TaskId task, CancellationToken cancellationToken)
    {
        List<string> found = await database.ReadAsync(
            session => session.QueryAsync("SELECT series FROM actortrainer_metrics WHERE task = @a", r => r.GetString(0), task.Value),
            cancellationToken
        );
        return found.Count == 0 ? MetricSeries.Empty : JsonSerializer.Deserialize(found[0], CoreJsonContext.Default.MetricSeries)!;
    }

    /// <summary>
    /// Writes the metrics of tasks that a life has, in one transaction; those of a task that another has meanwhile stay as they are.
    /// </summary>
    public Task WriteAsync(long owner, IReadOnlyList<(TaskId Task, MetricSeries Series)> all, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                foreach ((TaskId task, MetricSeries series) in all)
                {
                    await session.RunAsync(
                        "INSERT INTO actortrainer_metrics (task, series) SELECT task, @b FROM actortrainer_task "
                            + "WHERE task = @a AND owner IN (0, @c) "
                            + "ON CONFLICT (task) DO UPDATE SET series = excluded.series",
                        task.Value,
                        JsonSerializer.Serialize(series, CoreJsonContext.Default.MetricSeries),
                        owner
                    );
                }

                return true;
            },
            cancellationToken
        );
}
