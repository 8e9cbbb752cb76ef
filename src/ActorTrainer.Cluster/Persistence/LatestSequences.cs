using System.Text.Json;
using ActorTrainer.Core;

namespace ActorTrainer.Cluster.Persistence;

/// <summary>
/// Reads the number of the newest event of many persistent actors in one query: every actor asks for its own when it is recovered, and
/// after a restart or the loss of a node thousands do. What is asked while a query is under way goes into the next. Thread-safe.
/// </summary>
/// <param name="database">Where the events are.</param>
/// <param name="over">Cancelled when nobody asks any more.</param>
internal sealed class LatestSequences(JournalDatabase database, CancellationToken over)
{
    private const string Newest = $"(SELECT MAX(sequence_number) FROM {TaskPersistence.EventTable} WHERE persistence_id = asked.value)";

    private readonly string _query = database.IsSqlite
        ? $"SELECT asked.value, {Newest} FROM json_each(@a) AS asked"
        : $"SELECT asked.value, {Newest} FROM json_array_elements_text(@a::json) AS asked";

    private readonly Lock _gate = new();
    private List<Asked> _waiting = [];
    private bool _reading;

    /// <summary>The number of an actor's newest event; 0: it has none.</summary>
    /// <exception cref="System.Data.Common.DbException">The database is away.</exception>
    public Task<long> ReadAsync(string persistenceId)
    {
        Asked asked = new(persistenceId);
        lock (_gate)
        {
            _waiting.Add(asked);
            if (_reading)
            {
                return asked.Answer.Task;
            }

            _reading = true;
        }

        _ = AnswerAllAsync();
        return asked.Answer.Task;
    }

    /// <summary>Until nobody waits; what goes wrong is told to those who asked.</summary>
    private async Task AnswerAllAsync()
    {
        while (Take() is { Count: > 0 } all)
        {
            try
            {
                Dictionary<string, long> found = await QueryAsync([.. all.Select(asked => asked.Id).Distinct()]);
                all.ForEach(asked => asked.Answer.TrySetResult(found.GetValueOrDefault(asked.Id)));
            }
            catch (Exception e)
            {
                all.ForEach(asked => asked.Answer.TrySetException(e));
            }
        }
    }

    private List<Asked> Take()
    {
        lock (_gate)
        {
            List<Asked> all = _waiting;
            _waiting = [];
            _reading = all.Count > 0;
            return all;
        }
    }

    private async Task<Dictionary<string, long>> QueryAsync(List<string> ids)
    {
        List<(string Id, long Sequence)> found = await database.ReadAsync(
            session =>
                session.QueryAsync(
                    _query,
                    r => (r.GetString(0), r.IsDBNull(1) ? 0 : r.GetInt64(1)),
                    JsonSerializer.Serialize(ids, CoreJsonContext.Default.ListString)
                ),
            over
        );
        return found.ToDictionary(f => f.Id, f => f.Sequence);
    }

    private sealed record Asked(string Id)
    {
        public TaskCompletionSource<long> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
