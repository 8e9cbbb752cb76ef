using System.Net.Sockets;
using System.Text;
using ActorTrainer.Training.Protocol;

namespace ActorTrainer.Cli.Commands;

/// <summary>The word of a script that its files are one state.</summary>
internal static class CommitCommand
{
    private const string SocketVariable = "ACTORTRAINER_SOCKET";
    private const string RunVariable = "ACTORTRAINER_RUN";

    public static CliCommand Create(CliContext cli, GlobalOptions globals)
    {
        CliCommand command = new(
            "commit",
            "For scripts that a node runs: all files that the script has written are one state, which becomes a checkpoint. "
                + "Ends when they may be changed again. Outside a run it does nothing.",
            "actortrainer commit",
            "python3 save.py && actortrainer commit"
        );
        Invocation.Set(command, cli, globals, CommitAsync);
        return command;
    }

    private static async Task<int> CommitAsync(Invocation call)
    {
        if (call.Cli.Environment(SocketVariable) is not { Length: > 0 } path || call.Cli.Environment(RunVariable) is not { } run)
        {
            call.Note($"nothing to commit: no node runs this script ({SocketVariable} is not set)");
            return ExitCodes.Ok;
        }

        try
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), call.Interrupt);
            using NetworkStream stream = new(socket);
            await stream.WriteAsync(new CommitMessage(run, System.Environment.ProcessId).ToLine(), call.Interrupt);
            using StreamReader reader = new(stream, Encoding.UTF8);
            while (await reader.ReadLineAsync(call.Interrupt) is { } line)
            {
                if (WorkerMessage.TryParse(Encoding.UTF8.GetBytes(line), out WorkerMessage? message) && message is CommittedMessage done)
                {
                    return done.Problem is null ? ExitCodes.Ok : throw new CommandFailedException($"not committed: {done.Problem}");
                }
            }
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            throw new CommandFailedException($"the node cannot be reached at {path} ({SocketVariable}): {e.Message}");
        }

        throw new CommandFailedException("the node closed the connection before the state was captured");
    }
}
