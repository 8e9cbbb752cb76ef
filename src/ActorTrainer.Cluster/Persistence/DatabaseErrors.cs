using System.Data.Common;
using System.Net.Sockets;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace ActorTrainer.Cluster.Persistence;

/// <summary>Tells a database that refuses a row from one that cannot be reached now.</summary>
internal static class DatabaseErrors
{
    private const int SqliteConstraint = 19;
    private const string PostgreSqlConstraintClass = "23";

    /// <summary>Whether the database cannot be reached, or has not answered in time.</summary>
    public static bool IsAway(Exception e) => e is DbException or TimeoutException or SocketException or OperationCanceledException;

    /// <summary>Whether the database has answered that the row contradicts another one: the key (task, sequence) is taken.</summary>
    public static bool IsRefusal(Exception? e) =>
        e switch
        {
            null => false,
            SqliteException sqlite => sqlite.SqliteErrorCode == SqliteConstraint,
            PostgresException postgres => postgres.SqlState.StartsWith(PostgreSqlConstraintClass, StringComparison.Ordinal),
            AggregateException many => many.InnerExceptions.Any(IsRefusal),
            _ => IsRefusal(e.InnerException),
        };
}
