using ActorTrainer.Journal.Sqlite;

namespace ActorTrainer.Journal;

/// <summary>Looks in an SQLite journal for tasks that two owners wrote at the same time.</summary>
public static class DoubleWriters
{
    /// <summary>How many events have a lower term than an earlier event of their task; 0 while fencing works.</summary>
    /// <param name="path">The SQLite file. Nodes may be running.</param>
    /// <exception cref="Microsoft.Data.Sqlite.SqliteException">It cannot be read.</exception>
    public static Task<long> CountAsync(string path) =>
        Task.Run(() =>
        {
            using JournalConnection connection = JournalConnection.OpenReader(path);
            return connection.First(
                """
                SELECT count(*) FROM (
                  SELECT term, max(term) OVER (
                    PARTITION BY task ORDER BY sequence ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS highest FROM event)
                WHERE term < highest
                """,
                static reader => reader.GetInt64(0));
        });
}
