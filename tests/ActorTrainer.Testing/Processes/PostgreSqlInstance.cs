using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace ActorTrainer.Testing.Processes;

/// <summary>
/// A PostgreSQL server of the caller's own, on loopback and in a temporary folder, with the durability of a fresh installation. It refuses
/// to run as root, so root starts it as the user <c>postgres</c> that its package brings. Disposing of it ends it and removes the folder.
/// </summary>
/// <remarks>
/// Its programs are those in the folder that the environment variable <c>POSTGRESQL_BIN</c> names, else the newest that Debian's packages
/// installed. Faults reach the processes of this server alone. One fault at a time.
/// </remarks>
public sealed class PostgreSqlInstance : IAsyncDisposable
{
    private readonly string _bin = Environment.GetEnvironmentVariable("POSTGRESQL_BIN") ?? NewestInstalled();
    private readonly int _port = LocalCluster.FreeAddress().Port;
    private string _folder = "";
    private int _databases;

    private PostgreSqlInstance() { }

    /// <summary>Its first process, the parent of all others; 0 while it is stopped.</summary>
    public int Pid => File.Exists(PidFile) ? int.Parse(File.ReadLines(PidFile).First(), CultureInfo.InvariantCulture) : 0;

    /// <summary>What the server wrote.</summary>
    public string LogPath => Path.Combine(_folder, "log");

    private string Data => Path.Combine(_folder, "data");

    private string PidFile => Path.Combine(Data, "postmaster.pid");

    /// <summary>Makes a server and starts it; it takes a few seconds.</summary>
    /// <exception cref="InvalidOperationException">PostgreSQL is not installed, or one of its programs failed.</exception>
    public static async Task<PostgreSqlInstance> CreateAsync()
    {
        PostgreSqlInstance instance = new();
        instance._folder = (await instance.RunAsync("mktemp", "-d", "/tmp/actortrainer-postgresql-XXXXXX")).Trim();
        await instance.RunAsync(instance.Program("initdb"), "-D", instance.Data, "-A", "trust", "-U", "postgres", "--no-sync");
        await instance.StartAsync();
        return instance;
    }

    /// <summary>Starts a stopped server and waits until it answers.</summary>
    public async Task StartAsync()
    {
        string options = string.Create(CultureInfo.InvariantCulture, $"-c listen_addresses=127.0.0.1 -p {_port} -k {_folder}");
        await RunAsync(Program("pg_ctl"), "-D", Data, "-w", "-l", LogPath, "-o", options, "start");
    }

    /// <summary>Stops the server: every connection ends, as when its machine is restarted. What was committed stays.</summary>
    public async Task StopAsync()
    {
        Thaw();
        NpgsqlConnection.ClearAllPools();
        await RunAsync(Program("pg_ctl"), "-D", Data, "-w", "-m", "immediate", "stop");
    }

    /// <summary>Stops and starts the server.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    /// <summary>
    /// Lets all processes of the server stand still (SIGSTOP): connections stay, nothing is answered, as behind a cut network.
    /// </summary>
    public void Freeze() => SignalAll(Signals.Stop);

    /// <summary>Lets them go on.</summary>
    public void Thaw() => SignalAll(Signals.Continue);

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

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (Pid != 0)
        {
            await StopAsync();
        }

        await RunAsync("rm", "-r", _folder);
    }

    private static string NewestInstalled()
    {
        const string Debian = "/usr/lib/postgresql";
        return
            (Directory.Exists(Debian) ? Directory.GetDirectories(Debian) : []).OrderDescending(StringComparer.Ordinal).FirstOrDefault()
                is { } version
            ? Path.Combine(version, "bin")
            : throw new InvalidOperationException(
                "PostgreSQL is not installed: 'apt-get install postgresql' brings it, or set POSTGRESQL_BIN to the folder that "
                    + "its initdb and pg_ctl are in."
            );
    }

    private string Program(string name) => Path.Combine(_bin, name);

    private string ConnectionString(string database) =>
        string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={_port};Database={database};Username=postgres");

    private void SignalAll(int signal)
    {
        if (Pid is not 0 and int first)
        {
            // The parent first: it starts no further process then.
            Signals.TrySend(first, signal);
            foreach (ProcessInfo process in ProcessInfo.All().Where(p => p.Parent == first))
            {
                Signals.TrySend(process.Pid, signal);
            }
        }
    }

    private async Task<string> RunAsync(string program, params string[] arguments)
    {
        string[] asUser = Environment.IsPrivilegedProcess ? ["runuser", "-u", "postgres", "--", program] : [program];
        ProcessStartInfo start = new(asUser[0], [.. asUser[1..], .. arguments])
        {
            RedirectStandardOutput = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        using Process process = Process.Start(start)!;

        // The server that pg_ctl starts keeps the pipe: only what is written before the end of this process is of interest.
        Task<string> output = program.EndsWith("pg_ctl", StringComparison.Ordinal)
            ? Task.FromResult("")
            : process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException(
                $"{program} {string.Join(' ', arguments)} ended with "
                    + $"{process.ExitCode}{(File.Exists(LogPath) ? $"; the server's log is {LogPath}" : "")}"
            );
    }
}
