using System.Text;
using ActorTrainer.Cli.Hosting;
using Spectre.Console;

namespace ActorTrainer.Cli;

/// <summary>What surrounds a command: streams, terminal, environment, clock. Tests put their own in its place.</summary>
internal sealed class CliContext
{
    /// <summary>Columns of output that does not go to a terminal.</summary>
    public const int PipedWidth = 80;

    private readonly Stream _standardOutput;

    public CliContext(Stream standardOutput, TextWriter error)
    {
        _standardOutput = standardOutput;
        Out = new StreamWriter(standardOutput, new UTF8Encoding(false), 4096, leaveOpen: true) { AutoFlush = true };
        Error = error;
    }

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    /// <summary>The bytes behind <see cref="Out"/>, for output of tasks, which is passed through as it is.</summary>
    public Stream OutBytes => _standardOutput;

    public bool OutIsTerminal { get; init; }

    public int Width { get; init; } = PipedWidth;

    public Func<string, string?> Environment { get; init; } = _ => null;

    /// <summary>The umask of this process in octal digits; null: not known.</summary>
    public Func<string?> Umask { get; init; } = () => null;

    public string WorkingDirectory { get; init; } = System.Environment.CurrentDirectory;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public INodeHost NodeHost { get; init; } = new NodeHost();

    public IConfigurationFiles Files { get; init; } = new ConfigurationFiles();

    /// <summary>Ends when the user presses Ctrl-C; asked for once, by the commands that wait.</summary>
    public Func<CancellationToken> Interrupt { get; init; } = () => CancellationToken.None;

    /// <summary>Whether to colour: a terminal that can, and no <c>NO_COLOR</c>.</summary>
    public bool Colour => OutIsTerminal && string.IsNullOrEmpty(Environment("NO_COLOR")) && Environment("TERM") != "dumb";

    public DateTimeOffset Now => Time.GetUtcNow();

    /// <summary>A console on <see cref="Out"/>; without a terminal it writes neither colours nor cursor movements.</summary>
    public IAnsiConsole CreateConsole(TextWriter? writer = null)
    {
        IAnsiConsole console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Ansi = OutIsTerminal && Environment("TERM") != "dumb" ? AnsiSupport.Yes : AnsiSupport.No,
                ColorSystem = Colour ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
                Interactive = OutIsTerminal ? InteractionSupport.Yes : InteractionSupport.No,
                Out = new AnsiConsoleOutput(writer ?? Out),
            }
        );
        console.Profile.Width = Width;
        console.Profile.Capabilities.Unicode = true;
        return console;
    }

    /// <summary>The context of this process.</summary>
    public static CliContext ForProcess()
    {
        bool terminal = !Console.IsOutputRedirected;
        return new CliContext(Console.OpenStandardOutput(), Console.Error)
        {
            OutIsTerminal = terminal,
            Width = terminal ? TerminalWidth() : PipedWidth,
            Environment = System.Environment.GetEnvironmentVariable,
            Umask = ReadUmask,
            Interrupt = CatchInterrupts,
        };
    }

    private static string? ReadUmask()
    {
        const string name = "Umask:";
        return OperatingSystem.IsLinux()
            ? File.ReadLines("/proc/self/status")
                .FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))
                ?[name.Length..].Trim()
            : null;
    }

    private static int TerminalWidth() => Console.WindowWidth > 0 ? Console.WindowWidth : PipedWidth;

    /// <summary>The first Ctrl-C ends the wait in order; the second one ends the process as it would without us.</summary>
    private static CancellationToken CatchInterrupts()
    {
        CancellationTokenSource source = new();
        Console.CancelKeyPress += (_, pressed) =>
        {
            pressed.Cancel = !source.IsCancellationRequested;
            source.Cancel();
        };
        return source.Token;
    }
}
