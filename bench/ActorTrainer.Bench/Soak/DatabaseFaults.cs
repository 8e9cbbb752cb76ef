using System.Globalization;
using ActorTrainer.Bench.Common;
using ActorTrainer.Testing.Processes;
using Microsoft.Data.Sqlite;

namespace ActorTrainer.Bench.Soak;

/// <summary>Takes the journal's database away for a time.</summary>
internal static class DatabaseFaults
{
    private const int Busy = 5;

    /// <summary>
    /// SQLite: another connection holds the lock to write. PostgreSQL, by the choice: the server is stopped and started again after the
    /// time; it stands still for that time; or it is stopped and started again at once.
    /// </summary>
    public static async Task RunAsync(BenchDatabase database, LocalCluster cluster, TimeSpan length, int choice)
    {
        if (database.Server is not { } server)
        {
            await LockAsync(cluster.JournalPath, length);
            return;
        }

        switch (choice % 3)
        {
            case 0:
                await server.StopAsync();
                await Task.Delay(length, TimeProvider.System);
                await server.StartAsync();
                break;
            case 1:
                server.Freeze();
                await Task.Delay(length, TimeProvider.System);
                server.Thaw();
                break;
            default:
                await server.RestartAsync();
                break;
        }
    }

    /// <summary>What happens, in words.</summary>
    public static string NameOf(BenchDatabase database, TimeSpan length, int choice)
    {
        string time = string.Create(CultureInfo.InvariantCulture, $" for {length.TotalSeconds:0.0} s");
        return database.Server is null
            ? "is locked" + time
            : (choice % 3) switch
            {
                0 => "is stopped" + time,
                1 => "stands still" + time,
                _ => "is restarted",
            };
    }

    private static async Task LockAsync(string path, TimeSpan length)
    {
        await using SqliteConnection connection = new($"Data Source={path};Mode=ReadWrite;Pooling=False;Default Timeout=30");
        await connection.OpenAsync();
        while (!TryBegin(connection))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }

        await Task.Delay(length, TimeProvider.System);
        using SqliteCommand end = connection.CreateCommand();
        end.CommandText = "ROLLBACK";
        end.ExecuteNonQuery();
    }

    private static bool TryBegin(SqliteConnection connection)
    {
        using SqliteCommand begin = connection.CreateCommand();
        begin.CommandText = "BEGIN EXCLUSIVE";
        try
        {
            begin.ExecuteNonQuery();
            return true;
        }
        catch (SqliteException e) when (e.SqliteErrorCode == Busy)
        {
            return false;
        }
    }
}
