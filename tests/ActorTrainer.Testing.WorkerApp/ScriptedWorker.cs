using System.Net.Sockets;
using System.Text;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Training.Protocol;

namespace ActorTrainer.Testing.WorkerApp;

/// <summary>
/// A worker that does what its trainer type says: <c>steps</c> (five steps after begin, then done), <c>serve</c> (stages when asked until
/// it is told to stop), <c>throw</c> (reports an exception), <c>deaf</c> (ignores stop), <c>flood</c> (ten thousand progress messages),
/// <c>garbage</c> (lines that are no messages before done).
/// </summary>
internal static class ScriptedWorker
{
    private static readonly Dictionary<string, double> Metrics = new() { ["loss"] = double.NaN, ["accuracy"] = 0.5 };

    public static int Run()
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(Variable("ACTORTRAINER_SOCKET")));
        using NetworkStream stream = new(socket);
        using StreamReader reader = new(stream);
        Send(stream, new HelloMessage(WorkerMessage.ProtocolVersion, Variable("ACTORTRAINER_RUN"), Environment.ProcessId));
        InitMessage init = (InitMessage)Receive(reader)!;
        Console.WriteLine($"init {init.TrainerType} {init.Settings}");
        Send(stream, new PhaseMessage(WorkerPhase.Initializing));
        Send(stream, new ReadyMessage());
        return init.TrainerType switch
        {
            "steps" => Steps(stream, reader, 5),
            "flood" => Steps(stream, reader, 10_000),
            "garbage" => Garbage(stream, reader),
            "throw" => Throw(stream),
            "deaf" => Deaf(reader),
            _ => Serve(stream, reader, init),
        };
    }

    private static int Steps(NetworkStream stream, StreamReader reader, int steps)
    {
        BeginMessage begin = (BeginMessage)Receive(reader)!;
        Console.WriteLine($"begin restore={begin.Restore} {begin.Policy.Strategy} best={begin.BestMetric}");
        Send(stream, new PhaseMessage(WorkerPhase.Training));
        for (int step = 1; step <= steps; step++)
        {
            Send(stream, new ProgressMessage(step, steps, step / 10.0, Metrics));
        }

        Send(stream, new DoneMessage(steps, steps, 0.5, Metrics, new Dictionary<string, string> { ["sha256"] = "abc" }));
        return 0;
    }

    private static int Garbage(NetworkStream stream, StreamReader reader)
    {
        stream.Write(
            Encoding.UTF8.GetBytes(
                "not json\n{}\n{\"type\":\"of-the-future\",\"x\":1}\n[1]\n\n{\"x\":1,\"type\":\"phase\",\"phase\":\"dreaming\"}\n"
            )
        );
        stream.Write(Encoding.UTF8.GetBytes("{\"step\":3,\"type\":\"progress\",\"epoch\":1.5,\"new\":{}}\n"));
        return Steps(stream, reader, 5);
    }

    private static int Throw(NetworkStream stream)
    {
        Send(stream, new ErrorMessage("System.InvalidOperationException: no data"));
        return 3;
    }

    private static int Deaf(StreamReader reader)
    {
        using System.Runtime.InteropServices.PosixSignalRegistration ignored =
            System.Runtime.InteropServices.PosixSignalRegistration.Create(
                System.Runtime.InteropServices.PosixSignal.SIGTERM,
                context => context.Cancel = true
            );
        while (Receive(reader) is not null)
        {
            Console.WriteLine("ignored");
        }

        return 0;
    }

    private static int Serve(NetworkStream stream, StreamReader reader, InitMessage init)
    {
        int staged = 0;
        while (Receive(reader) is { } message)
        {
            switch (message)
            {
                case CheckpointNowMessage now:
                    string id = $"s{++staged}";
                    string folder = Path.Combine(init.StagingDirectory, id);
                    _ = Directory.CreateDirectory(folder);
                    File.WriteAllText(Path.Combine(folder, "state"), $"state {staged}");
                    Send(stream, new StagedMessage(id, staged, 0.5, now.Reason, Metrics));
                    break;
                case ReleasedMessage released:
                    Console.WriteLine($"released {released.Id}");
                    Send(stream, new ProgressMessage(1, null, 1, Metrics));
                    break;
                case StopMessage:
                    Send(stream, new StoppedMessage());
                    return 0;
            }
        }

        return 9;
    }

    private static string Variable(string name) =>
        Environment.GetEnvironmentVariable(name) ?? throw new InvalidOperationException($"{name} is not set");

    private static WorkerMessage? Receive(StreamReader reader)
    {
        while (reader.ReadLine() is { } line)
        {
            if (WorkerMessage.TryParse(Encoding.UTF8.GetBytes(line), out WorkerMessage? message))
            {
                return message;
            }
        }

        return null;
    }

    private static void Send(NetworkStream stream, WorkerMessage message) => stream.Write(message.ToLine());
}
