using System.Globalization;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Tests.Support;
using Microsoft.Data.Sqlite;

namespace ActorTrainer.Cluster.Tests.Persistence;

public sealed class LatestSequencesTests : IDisposable
{
    private readonly JournalFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Read_ByManyAtOnce_GivesEachItsOwnAndZeroWithoutEvents()
    {
        await MakeTableAsync();
        LatestSequences sequences = new(_folder.Database, CancellationToken.None);

        long[] found = await Task.WhenAll(Enumerable.Range(0, 300).Select(i => Task.Run(() => sequences.ReadAsync(Id(i % 150)))));

        found.ShouldBe(Enumerable.Range(0, 300).Select(i => (long)(i % 150 % 4)));
    }

    [Fact]
    public async Task Read_WhenTheJournalCannotBeRead_FailsForAllWhoAskedAndNotForTheNext()
    {
        LatestSequences sequences = new(_folder.Database, CancellationToken.None);
        Task<long>[] asked = [.. Enumerable.Range(0, 20).Select(i => sequences.ReadAsync(Id(i)))];
        foreach (Task<long> one in asked)
        {
            (await Should.ThrowAsync<SqliteException>(one)).Message.ShouldContain("actortrainer_event");
        }

        await MakeTableAsync();

        (await sequences.ReadAsync(Id(3))).ShouldBe(3);
    }

    [Fact]
    public async Task Read_AfterTheEnd_IsCancelled()
    {
        await MakeTableAsync();
        using CancellationTokenSource over = new();
        LatestSequences sequences = new(_folder.Database, over.Token);
        await over.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(sequences.ReadAsync(Id(1)));
    }

    /// <summary>Number i has as many events as i divided by four leaves over.</summary>
    private Task MakeTableAsync() =>
        _folder.Database.WriteAsync(
            async session =>
            {
                await session.RunAsync("CREATE TABLE actortrainer_event (persistence_id TEXT, sequence_number INTEGER)");
                for (int i = 0; i < 150; i++)
                {
                    for (int sequence = 1; sequence <= i % 4; sequence++)
                    {
                        await session.RunAsync("INSERT INTO actortrainer_event VALUES (@a, @b)", Id(i), sequence);
                    }
                }

                return 0;
            },
            CancellationToken.None
        );

    private static string Id(int number) => string.Create(CultureInfo.InvariantCulture, $"task-{number}");
}
