using System.Globalization;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Journal.Sqlite;
using ActorTrainer.Testing.Journaling;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Runner.InProc.SystemConsole;
using static ActorTrainer.Testing.Journaling.JournalSamples;

namespace ActorTrainer.Journal.Tests;

/// <summary>Runs the tests, or is another process that uses a journal and reports on standard output.</summary>
internal static class Program
{
    public const string WriteCommand = "child-write";
    public const string HoldCommand = "child-hold";

    public static async Task<int> Main(string[] args) => args switch
    {
        [WriteCommand, string path, string task, string shard, string owner, string term] =>
            await WriteAsync(path, task, new ShardRow(Number(shard), Number(owner), Number(term))),
        [HoldCommand, string path, string incarnation] => await HoldAsync(path, Number(incarnation)),
        _ => await ConsoleRunner.Run(args),
    };

    /// <summary>Appends events to a new task, one after the other, and writes each acknowledged sequence; ends when its input ends.</summary>
    private static async Task<int> WriteAsync(string path, string task, ShardRow shard)
    {
        await using SqliteJournal journal =
            await SqliteJournal.OpenAsync(path, 8, TimeProvider.System, NullLogger<SqliteJournal>.Instance, CancellationToken.None);
        await journal.HoldLifeLockAsync(shard.Owner, CancellationToken.None);

        // Console.In reads synchronously even when asked otherwise.
        Task<string?> end = Task.Run(Console.In.ReadLine);
        for (long sequence = 0; !end.IsCompleted; sequence++)
        {
            AppendResult result = await journal.AppendAsync(Part(
                task, shard, sequence, $"{task}-{sequence}", sequence == 0 ? Submitted(task) : Progressed(sequence)));
            await Console.Out.WriteLineAsync(result is AppendAccepted accepted
                ? accepted.LastSequence.ToString(CultureInfo.InvariantCulture)
                : result.ToString());
        }

        return 0;
    }

    /// <summary>Holds the write lock until a line comes in.</summary>
    private static async Task<int> HoldAsync(string path, int incarnation)
    {
        using var journalLock = JournalLock.Open(new SqliteJournalOptions(path, 8).LockPath);
        journalLock.Acquire(incarnation);
        await Console.Out.WriteLineAsync("held");
        await Console.In.ReadLineAsync();
        journalLock.Release();
        await Console.Out.WriteLineAsync("released");
        await Console.In.ReadLineAsync();
        return 0;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
