using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using ActorTrainer.Runtime.Workers.Guard;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Workers;

/// <summary>The node's end of one guard process.</summary>
internal sealed partial class GuardLink
{
    /// <summary>As the runtime reads numbers, in hexadecimal digits.</summary>
    private const string FourMebibytes = "400000";

    private const int MaxLineBytes = 1 << 20;
    private readonly Process _process;
    private readonly ILogger _logger;
    private readonly Channel<GuardMessage> _outgoing = Channel.CreateUnbounded<GuardMessage>(
        new UnboundedChannelOptions { SingleReader = true }
    );
    private long _beat;
    private long _echo;

    private GuardLink(Process process, ILogger logger)
    {
        _process = process;
        _logger = logger;
        Pid = process.Id;
    }

    public int Pid { get; }

    /// <summary>Whether the guard has said that it is ready.</summary>
    public bool Ready { get; set; }

    /// <summary>Heartbeats that it has not answered yet.</summary>
    public long Unanswered => Volatile.Read(ref _beat) - Volatile.Read(ref _echo);

    /// <summary>Starts a guard. The callbacks come from a thread of their own; <paramref name="onClosed"/> is the last.</summary>
    /// <exception cref="WorkerHostException">The process could not be started.</exception>
    public static GuardLink Start(
        WorkerHostOptions options,
        ILogger logger,
        Action<GuardLink, GuardMessage> onMessage,
        Action<GuardLink, string> onClosed
    )
    {
        ProcessStartInfo info = new(options.SelfCommand[0])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = options.DataDirectory,
        };
        string[] arguments =
        [
            .. options.SelfCommand.Skip(1),
            GuardProgram.Verb,
            GuardProgram.NodeOption,
            options.DataDirectory,
            GuardProgram.SelfFenceOption,
            ((long)options.SelfFenceAfter.TotalMilliseconds).ToString(CultureInfo.InvariantCulture),
        ];
        foreach (string argument in arguments)
        {
            info.ArgumentList.Add(argument);
        }

        info.Environment.Clear();
        foreach ((string name, string value) in WorkerEnvironment.Inherited())
        {
            info.Environment[name] = value;
        }

        // One small heap, however large the processor's cache is, and no collector thread per processor: the guard hardly allocates.
        info.Environment["DOTNET_GCgen0size"] = FourMebibytes;
        info.Environment["DOTNET_gcServer"] = "0";
        info.Environment["DOTNET_gcConcurrent"] = "0";
        info.Environment["DOTNET_TieredPGO"] = "0";
        try
        {
            Process process = Process.Start(info) ?? throw new WorkerHostException("The guard process could not be started.");
            GuardLink link = new(process, logger);
            _ = Task.Run(link.WriteAsync);
            _ = Task.Run(link.LogErrorsAsync);
            _ = Task.Run(() => link.ReadAsync(onMessage, onClosed));
            return link;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new WorkerHostException(
                $"The guard process could not be started ('{string.Join(' ', options.SelfCommand)} guard'): {e.Message}.",
                e
            );
        }
    }

    public void Send(GuardMessage message) => _ = _outgoing.Writer.TryWrite(message);

    public void Beat() => Send(new GuardHeartbeat(Interlocked.Increment(ref _beat)));

    public void Kill()
    {
        try
        {
            _process.Kill();
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // Gone already.
        }
    }

    /// <summary>Closes the guard's input, whereupon it ends everything and itself; killed when that takes too long.</summary>
    public async ValueTask EndAsync(TimeProvider time)
    {
        _ = _outgoing.Writer.TryComplete();
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(8), time);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            Kill();
        }

        _process.Dispose();
    }

    private async Task WriteAsync()
    {
        Stream input = _process.StandardInput.BaseStream;
        try
        {
            await foreach (GuardMessage message in _outgoing.Reader.ReadAllAsync())
            {
                await input.WriteAsync(message.ToLine());
                await input.FlushAsync();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The guard is gone, which its closed output says as well.
        }

        await input.DisposeAsync();
    }

    private async Task ReadAsync(Action<GuardLink, GuardMessage> onMessage, Action<GuardLink, string> onClosed)
    {
        string detail = "The guard process ended.";
        try
        {
            Stream output = _process.StandardOutput.BaseStream;
            await foreach (IReadOnlyList<byte[]> lines in JsonLines.ReadBatchesAsync(output, MaxLineBytes, CancellationToken.None))
            {
                foreach (byte[] line in lines)
                {
                    GuardMessage message = GuardMessage.Parse(line);
                    if (message is GuardHeartbeatEcho echo)
                    {
                        Volatile.Write(ref _echo, echo.Number);
                        continue;
                    }

                    onMessage(this, message);
                }
            }
        }
        catch (Exception e) when (e is IOException or InvalidDataException or JsonException or ObjectDisposedException)
        {
            detail = $"The guard process can not be understood: {e.Message}";
        }

        Kill();
        _ = _outgoing.Writer.TryComplete();
        onClosed(this, detail);
    }

    private async Task LogErrorsAsync()
    {
        try
        {
            while (await _process.StandardError.ReadLineAsync() is { } line)
            {
                LogGuardLine(_logger, Pid, line);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Guard {Pid}: {Line}")]
    private static partial void LogGuardLine(ILogger logger, int pid, string line);
}
