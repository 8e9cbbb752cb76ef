using ActorTrainer.Core.Journaling;
using ActorTrainer.Journal.Tables;
using Microsoft.Data.Sqlite;

namespace ActorTrainer.Journal.Sqlite;

/// <summary>Reads on a connection and a thread of their own, each request in one short read transaction.</summary>
internal sealed class ReadLane(string name, SqliteJournalOptions options, string identity, TimeProvider time)
    : Lane(name, time, options.Limit)
{
    private JournalConnection? _connection;
    private SqliteTables? _tables;

    protected override void Execute(IReadOnlyList<WorkItem> batch)
    {
        foreach (WorkItem item in batch)
        {
            item.Answer(Read(item.Request));
        }
    }

    protected override void Close() => DropConnection();

    protected override string ExplainWaiting(TimeSpan limit) =>
        $"the journal did not come to this read within {limit.TotalSeconds:0.#} s (is the disk slow or stuck?)";

    private JournalReply Read(PreparedRequest request)
    {
        try
        {
            _connection ??= JournalConnection.OpenReader(options.Path);
            _tables ??= new SqliteTables(_connection, identity, options.NumberOfShards);
            _connection.Run("BEGIN");
            JournalReply reply = JournalRules.Execute(_tables, request, fencing: true);
            _connection.Run("COMMIT");
            return reply;
        }
        catch (Exception e)
        {
            DropConnection();
            return new JournalFailed(e is SqliteException sqlite ? SqliteErrors.Explain(sqlite, options.Path) : e.Message);
        }
    }

    private void DropConnection()
    {
        _tables = null;
        _connection?.Dispose();
        _connection = null;
    }
}
