using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Microsoft.Data.Sqlite;

namespace ActorTrainer.Cluster.Tests.Released;

/// <summary>An SQLite database as SQL that can be read and compared, and back.</summary>
internal static class SqlText
{
    /// <summary>All that stands in a database: its tables with their rows, then indexes and triggers.</summary>
    public static async Task<string> OfAsync(string connectionString)
    {
        await using SqliteConnection connection = new(connectionString);
        await connection.OpenAsync();
        StringBuilder text = new();
        foreach ((string name, string sql) in await SchemaAsync(connection, "type = 'table'"))
        {
            text.Append(sql).Append(";\n");
            await foreach (string row in RowsAsync(connection, name))
            {
                text.Append(CultureInfo.InvariantCulture, $"INSERT INTO {name} VALUES ({row});\n");
            }
        }

        foreach ((string _, string sql) in await SchemaAsync(connection, "type <> 'table'"))
        {
            text.Append(sql).Append(";\n");
        }

        return text.ToString();
    }

    /// <summary>Makes a database of it.</summary>
    public static async Task ToAsync(string connectionString, string text)
    {
        await using SqliteConnection connection = new(connectionString);
        await connection.OpenAsync();
        await using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // A file of this repository.
        command.CommandText = $"BEGIN;\n{text}COMMIT;";
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<List<(string Name, string Sql)>> SchemaAsync(SqliteConnection connection, string which)
    {
        await using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // A constant of this class.
        command.CommandText =
            $"SELECT name, sql FROM sqlite_schema WHERE {which} AND sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name";
#pragma warning restore CA2100
        await using SqliteDataReader reader = await command.ExecuteReaderAsync();
        List<(string, string)> found = [];
        while (await reader.ReadAsync())
        {
            found.Add((reader.GetString(0), reader.GetString(1)));
        }

        return found;
    }

    private static async IAsyncEnumerable<string> RowsAsync(SqliteConnection connection, string table)
    {
        await using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // A name that the database has given.
        command.CommandText = $"SELECT * FROM {table} ORDER BY rowid";
#pragma warning restore CA2100
        await using SqliteDataReader reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            yield return string.Join(",", Enumerable.Range(0, reader.FieldCount).Select(i => Literal(reader.GetValue(i))));
        }
    }

    private static string Literal(object value) =>
        value switch
        {
            DBNull => "NULL",
            byte[] bytes when Utf8.IsValid(bytes) => $"CAST({Quoted(Encoding.UTF8.GetString(bytes))} AS BLOB)",
            byte[] bytes => $"X'{Convert.ToHexString(bytes)}'",
            string text => Quoted(text),
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => throw new InvalidOperationException($"a {value.GetType()} has no literal"),
        };

    private static string Quoted(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
