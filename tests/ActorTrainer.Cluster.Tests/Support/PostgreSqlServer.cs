using ActorTrainer.Testing.Processes;

namespace ActorTrainer.Cluster.Tests.Support;

/// <summary>The PostgreSQL server that the tests of a collection share.</summary>
public sealed class PostgreSqlServer : IAsyncLifetime
{
    /// <summary>The name of the collection of tests that share it.</summary>
    public const string Collection = "postgresql";

    private PostgreSqlInstance? _instance;

    /// <summary>The server.</summary>
    public PostgreSqlInstance Instance => _instance ?? throw new InvalidOperationException("the server is not started yet");

    public async Task InitializeAsync() => _instance = await PostgreSqlInstance.CreateAsync();

    public async Task DisposeAsync()
    {
        if (_instance is { } instance)
        {
            await instance.DisposeAsync();
        }
    }

    /// <summary>Ends the server at once, without saying goodbye to its clients, and starts it again.</summary>
    public Task RestartAsync() => Instance.RestartAsync();

    /// <summary>The connection string of a new, empty database.</summary>
    public string NewDatabase() => Instance.NewDatabase();
}

/// <summary>The tests that share the server, one after the other and beside those that need none.</summary>
[CollectionDefinition(PostgreSqlServer.Collection)]
public sealed class PostgreSqlTests : ICollectionFixture<PostgreSqlServer>;
