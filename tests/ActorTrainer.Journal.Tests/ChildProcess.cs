using System.Diagnostics;
using System.Globalization;
using ActorTrainer.Journal.Sqlite;

namespace ActorTrainer.Journal.Tests;

/// <summary>Another process of this program, whose lines are read as they come.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private const int SignalStop = 19;
    private readonly Process _process;

    private ChildProcess(Process process) => _process = process;

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    public static ChildProcess Write(string database, string task, Core.Journaling.ShardRow shard, bool fencing = true) =>
        Start(
            fencing ? [] : [(SqliteJournal.FencingVariable, "off")],
            Program.WriteCommand, database, task, Text(shard.Shard), Text(shard.Owner), Text(shard.Term));

    public static async Task<ChildProcess> HoldAsync(string database, long incarnation)
    {
        ChildProcess child = Start([], Program.HoldCommand, database, Text(incarnation));
        (await child.ReadLineAsync()).ShouldBe("held");
        return child;
    }

    public async Task<string?> ReadLineAsync() => await _process.StandardOutput.ReadLineAsync();

    /// <summary>Reads lines until a condition holds or the output ends.</summary>
    public async Task<List<string>> ReadUntilAsync(Func<string, bool> condition)
    {
        var lines = new List<string>();
        while (await ReadLineAsync() is { } line)
        {
            lines.Add(line);
            if (condition(line))
            {
                break;
            }
        }

        return lines;
    }

    public Task SayAsync() => _process.StandardInput.WriteLineAsync("go");

    public void Stop() => NativeMethods.Kill(Pid, SignalStop).ShouldBe(0);

    public void Kill() => _process.Kill();

    public async Task<int> WaitForExitAsync()
    {
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static ChildProcess Start((string Name, string Value)[] environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.ChangeExtension(typeof(ChildProcess).Assembly.Location, null), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        return new ChildProcess(Process.Start(start)!);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
