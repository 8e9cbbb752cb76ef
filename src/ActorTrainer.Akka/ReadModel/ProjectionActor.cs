using ActorTrainer.Akka.Tasks;
using Akka;
using Akka.Actor;
using Akka.Persistence.Query;
using Akka.Persistence.Sql.Query;
using Akka.Streams;
using Akka.Streams.Dsl;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Akka.ReadModel;

/// <summary>
/// Keeps the read models of the cluster: a singleton that follows the journal with a persistence query. When the database is away it goes on
/// from the place on record.
/// </summary>
internal sealed partial class ProjectionActor(ReadModelTable table, ILogger logger) : ReceiveActor
{
    private const int Batch = 500;
    private static readonly TimeSpan Within = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stopping = new();
    private UniqueKillSwitch? _stream;

    public static Props Props(ReadModelTable table, ILogger logger) => global::Akka.Actor.Props.Create(() => new ProjectionActor(table, logger));

    protected override void PreStart()
    {
        SqlReadJournal journal = PersistenceQuery.Get(Context.System).ReadJournalFor<SqlReadJournal>(TaskPersistence.QueryPlugin);
        _stream = RestartSource
            .WithBackoff(() => Follow(journal), RestartSettings.Create(FirstBackoff, LongestBackoff, 0.2))
            .ViaMaterialized(KillSwitches.Single<int>(), Keep.Right)
            .To(Sink.Ignore<int>())
            .Run(Context.Materializer());
    }

    protected override void PostStop()
    {
        _stopping.Cancel();
        _stream?.Shutdown();
        _stopping.Dispose();
    }

    private Source<int, NotUsed> Follow(SqlReadJournal journal)
    {
        CancellationToken stopping = _stopping.Token;
        TaskProjection projection = new(table);
        return Source
            .FromTask(table.ReadPositionAsync(stopping))
            .ConcatMany(position => journal.AllEvents(Offset.Sequence(position)))
            .GroupedWithin(Batch, Within)
            .SelectAsync(1, async batch =>
            {
                try
                {
                    return await projection.TakeAsync([.. batch], stopping);
                }
                catch (Exception e) when (!stopping.IsCancellationRequested)
                {
                    LogFailed(logger, e.Message);
                    throw;
                }
            });
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "the lists of tasks lag behind: the projection begins again soon: {Problem}")]
    private static partial void LogFailed(ILogger logger, string problem);
}
