using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Cluster.Tasks;
using Microsoft.Extensions.Logging.Abstractions;

namespace ActorTrainer.Cluster.Tests.Support;

/// <summary>A node's own tables in a journal.</summary>
internal sealed class JournalTables : IAsyncDisposable
{
    public JournalTables(JournalDatabase database)
    {
        Table = new TaskRowTable(database, 16);
        Writer = new RowWriter(Table, () => { }, TimeProvider.System, NullLogger.Instance);
        History = new TaskHistory(database);
    }

    public TaskRowTable Table { get; }

    public RowWriter Writer { get; }

    public TaskHistory History { get; }

    public ValueTask DisposeAsync() => Writer.DisposeAsync();
}
