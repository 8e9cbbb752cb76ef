using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Cluster.Tests.Persistence;

public sealed class JournalSchemaTests : IDisposable
{
    private readonly JournalFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Ensure_OfANewFileByManyAtOnce_MakesItOnce()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(_folder.OpenAsync)));

        (await Count("SELECT count(*) FROM actortrainer_journal")).ShouldBe(1);
    }

    [Fact]
    public async Task Ensure_OfADatabaseOfSomethingElse_RefusesIt()
    {
        await RunAsync("CREATE TABLE recipe (name TEXT)");

        (await ShouldBeRefusedAsync()).ShouldContain("recipe");
    }

    [Fact]
    public async Task Ensure_OfAFileThatIsNoDatabase_RefusesIt()
    {
        await File.WriteAllTextAsync(_folder.Model.Journal.Path, "my notes, and quite a lot of them: nobody should write over this");

        (await ShouldBeRefusedAsync()).ShouldContain("journal.db");
    }

    [Theory]
    [InlineData("UPDATE actortrainer_journal SET schema_version = 99", "schema version 99")]
    [InlineData("UPDATE actortrainer_cluster SET protocol = 99", "speak protocol 99")]
    [InlineData("UPDATE actortrainer_journal SET number_of_shards = 7", "number-of-shards = 7")]
    [InlineData("UPDATE actortrainer_journal SET cluster = 'other'", "cluster 'other'")]
    [InlineData("CREATE TABLE actortrainer_event (ordering INTEGER PRIMARY KEY, persistence_id TEXT)", "actortrainer_event")]
    [InlineData("CREATE TABLE actortrainer_snapshot (persistence_id TEXT, sequence_nr BIGINT)", "sequence_number")]
    public async Task Ensure_OfAnotherSchemaOrCluster_SaysWhatIsWrong(string change, string expected)
    {
        await _folder.OpenAsync();
        await RunAsync(change);

        (await ShouldBeRefusedAsync()).ShouldContain(expected);
    }

    [Fact]
    public async Task Ensure_WhereTheFolderCannotBeMade_SaysWhere()
    {
        string file = Path.Combine(_folder.Folder, "file");
        await File.WriteAllTextAsync(file, "");
        NodeModel model = _folder.Model with { Journal = new JournalModel { Path = Path.Combine(file, "journal.db") } };

        JournalOpenException refusal = await Should.ThrowAsync<JournalOpenException>(() =>
            JournalSchema.EnsureAsync(JournalDatabase.Of(model.Journal), model, CancellationToken.None)
        );

        refusal.Message.ShouldContain(file);
    }

    private async Task<string> ShouldBeRefusedAsync() => (await Should.ThrowAsync<JournalOpenException>(_folder.OpenAsync)).Message;

    private async Task RunAsync(string sql) => await _folder.Database.WriteAsync(session => session.RunAsync(sql), CancellationToken.None);

    private async Task<long> Count(string sql) =>
        (await _folder.Database.ReadAsync(session => session.QueryAsync(sql, r => r.GetInt64(0)), CancellationToken.None))[0];
}
