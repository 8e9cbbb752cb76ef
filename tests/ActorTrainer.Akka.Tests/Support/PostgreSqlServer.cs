using System.Diagnostics;
using System.Globalization;
using ActorTrainer.Testing.Processes;
using Npgsql;

namespace ActorTrainer.Akka.Tests.Support;

/// <summary>
/// A PostgreSQL server of the tests' own, on loopback and in a temporary folder. It refuses to run as root, so root starts it as the user
/// <c>postgres</c> that its package brings.
/// </summary>
public sealed class PostgreSqlServer : IAsyncLifetime
{
    /// <summary>The name of the collection of tests that share it.</summary>
    public const string Collection = "postgresql";

    private readonly string _bin = Environment.GetEnvironmentVariable("POSTGRESQL_BIN") ?? "/usr/lib/postgresql/15/bin";
    private readonly int _port = LocalCluster.FreeAddress().Port;
    private string _folder = "";
    private int _databases;

    public async Task InitializeAsync()
    {
        _folder = (await RunAsync("mktemp", "-d", "/tmp/actortrainer-postgresql-XXXXXX")).Trim();
        await RunAsync(Path.Combine(_bin, "initdb"), "-D", Data, "-A", "trust", "-U", "postgres", "--no-sync");
        string options = string.Create(CultureInfo.InvariantCulture, $"-c listen_addresses=127.0.0.1 -p {_port} -k {_folder}");
        await RunAsync(Path.Combine(_bin, "pg_ctl"), "-D", Data, "-w", "-l", Path.Combine(_folder, "log"), "-o", options, "start");
    }

    public async Task DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await RunAsync(Path.Combine(_bin, "pg_ctl"), "-D", Data, "-m", "immediate", "stop");
        await RunAsync("rm", "-r", _folder);
    }

    /// <summary>Ends the server at once, without saying goodbye to its clients, and starts it again.</summary>
    public async Task RestartAsync()
    {
        await RunAsync(Path.Combine(_bin, "pg_ctl"), "-D", Data, "-w", "-m", "immediate", "-l", Path.Combine(_folder, "log"), "restart");
        NpgsqlConnection.ClearAllPools();
    }

    /// <summary>The connection string of a new, empty database.</summary>
    public string NewDatabase()
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"test{Interlocked.Increment(ref _databases)}");
        using NpgsqlConnection connection = new(ConnectionString("postgres"));
        connection.Open();
        using NpgsqlCommand create = new($"CREATE DATABASE {name}", connection);
        create.ExecuteNonQuery();
        return ConnectionString(name);
    }

    private string Data => Path.Combine(_folder, "data");

    private string ConnectionString(string database) =>
        string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={_port};Database={database};Username=postgres");

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        string[] asUser = Environment.IsPrivilegedProcess ? ["runuser", "-u", "postgres", "--", program] : [program];
        ProcessStartInfo start = new(asUser[0], [.. asUser[1..], .. arguments]) { RedirectStandardOutput = true, WorkingDirectory = Path.GetTempPath() };
        using Process process = Process.Start(start)!;

        // The server that pg_ctl starts keeps the pipe: only what is written before the end of this process is of interest.
        Task<string> output = program.EndsWith("pg_ctl", StringComparison.Ordinal) ? Task.FromResult("") : process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, $"{program} {string.Join(' ', arguments)}");
        return await output;
    }
}

/// <summary>The tests that share the server.</summary>
[CollectionDefinition(PostgreSqlServer.Collection)]
public sealed class PostgreSqlTests : ICollectionFixture<PostgreSqlServer>;
