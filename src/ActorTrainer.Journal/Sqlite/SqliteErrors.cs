using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace ActorTrainer.Journal.Sqlite;

/// <summary>SQLite's errors in words for the user: what, where, what to do.</summary>
internal static class SqliteErrors
{
    /// <summary>Whether only the one statement is wrong, and the connection and its transaction are still good.</summary>
    public static bool IsOfOneStatement(SqliteException exception) =>
        exception.SqliteErrorCode is raw.SQLITE_CONSTRAINT or raw.SQLITE_MISMATCH or raw.SQLITE_TOOBIG or raw.SQLITE_RANGE;

    public static string Explain(SqliteException exception, string path) => exception.SqliteErrorCode switch
    {
        raw.SQLITE_FULL => $"the disk of the journal {path} is full: free some space; writing goes on by itself then",
        raw.SQLITE_READONLY => $"the journal {path} is read-only: make the file and its folder writable; writing goes on by itself then",
        raw.SQLITE_IOERR => Text(exception, $"the disk failed under the journal {path}: look at the disk and its free space"),
        raw.SQLITE_CANTOPEN => $"the journal {path} cannot be opened: look at whether the file exists and its folder is writable",
        raw.SQLITE_CORRUPT => $"the journal {path} is damaged: stop the nodes and restore it from a backup",
        raw.SQLITE_NOTADB => $"{path} is not an SQLite database: set actortrainer.journal.path to a journal or to a new file",
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => $"another program keeps a transaction open on the journal {path}: end it",
        _ => Text(exception, $"the journal {path} failed"),
    };

    private static string Text(SqliteException exception, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{what} (SQLite {exception.SqliteExtendedErrorCode}: {exception.Message})");
}
