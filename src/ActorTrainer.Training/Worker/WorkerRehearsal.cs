using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ActorTrainer.Training.Worker;

/// <summary>
/// Trains a tiny model once, with a node that this process plays itself, so that the code of a worker is compiled when a run comes: the
/// loop, the messages, the files of a state. Writes below one folder and listens on a socket beside the node's; both are gone afterwards.
/// </summary>
internal static class WorkerRehearsal
{
    private const string Area = "area";
    private const int AreaLimit = 1 << 20;

    /// <summary>
    /// Rehearses. What fails costs time later on and nothing else, so it is passed over: where it matters, the run says what is wrong.
    /// </summary>
    /// <param name="nodeAddress">The node's socket, in a folder that only this user may enter.</param>
    /// <param name="folder">A folder that does not exist yet, where it may write.</param>
    /// <param name="time">The clock.</param>
    /// <returns>Whether all of it was done.</returns>
    public static async Task<bool> RunAsync(string nodeAddress, string folder, TimeProvider time)
    {
        string address = Path.Combine(Path.GetDirectoryName(nodeAddress) ?? "", $"r{Environment.ProcessId}");
        try
        {
            int exitCode = await TrainAsync(address, folder, time);
            _ = new System.Runtime.Loader.AssemblyDependencyResolver(typeof(WorkerRehearsal).Assembly.Location);
            await Console.Out.FlushAsync();
            return exitCode == WorkerExitCodes.Success;
        }
        catch (Exception)
        {
            return false;
        }
        finally
        {
            Remove(address, folder);
            // What the rehearsal left is garbage, and a spare may wait for days.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }

    private static async Task<int> TrainAsync(string address, string folder, TimeProvider time)
    {
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(address));
        listener.Listen(1);
        string restore = Path.Combine(folder, "restore");
        using (CheckpointWriter writer = new(restore))
        {
            await new RehearsalTrainer().SaveAsync(writer, CancellationToken.None);
            writer.Complete();
        }

        using WorkerLink link = WorkerLink.Connect(address, () => { });
        // A worker maps any file as it maps the memory of its node.
        await File.WriteAllBytesAsync(Path.Combine(folder, Area), []);
        using Socket node = listener.Accept();
        Task playing = Task.Run(() => Play(node, folder, restore));
        WorkerLoop loop = new(link, "rehearsal/0-0", (_, _) => new RehearsalTrainer(), time, TextWriter.Null, spare: true);
        int exitCode = await loop.RunAsync();
        node.Shutdown(SocketShutdown.Both);
        await playing;
        return exitCode;
    }

    /// <summary>The node's part: init, begin, one state asked for, every state released.</summary>
    private static void Play(Socket socket, string folder, string restore)
    {
        using NetworkStream stream = new(socket, ownsSocket: false);
        using StreamReader lines = new(stream);
        while (lines.ReadLine() is { } line)
        {
            using JsonDocument message = JsonDocument.Parse(line);
            switch (message.RootElement.GetProperty("type"u8).GetString())
            {
                case "hello":
                    Send(stream, Init(folder, restore));
                    break;
                case "ready":
                    Send(stream, """{"type":"begin","restore":true,"policy":{"strategy":"hybrid","interval":"00:01:00"}}""");
                    Send(stream, """{"type":"pace","interval":"00:00:10"}""");
                    Send(stream, """{"type":"checkpoint-now","reason":"rehearsal"}""");
                    break;
                case "staged":
                    Send(stream, $$"""{"type":"released","id":"{{message.RootElement.GetProperty("id"u8).GetString()}}","area":0}""");
                    break;
            }
        }
    }

    private static string Init(string folder, string restore)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "init"u8);
            json.WriteString("run"u8, "rehearsal/0-0"u8);
            json.WriteString("trainerType"u8, "rehearsal"u8);
            json.WriteStartObject("settings"u8);
            json.WriteNumber("seed"u8, 1);
            json.WriteEndObject();
            json.WriteString("runDirectory"u8, folder);
            json.WriteString("stagingDirectory"u8, folder);
            json.WriteString("restoreDirectory"u8, restore);
            json.WriteStartObject("memory"u8);
            json.WriteStartArray("areas"u8);
            json.WriteStringValue(Path.Combine(folder, Area));
            json.WriteEndArray();
            json.WriteNumber("limit"u8, AreaLimit);
            json.WriteStartArray("held"u8);
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteString("workingDirectory"u8, Environment.CurrentDirectory);
            json.WriteStartObject("environment"u8);
            json.WriteNull("ACTORTRAINER_REHEARSAL"u8);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void Send(NetworkStream stream, string line) => stream.Write(Encoding.UTF8.GetBytes(line + "\n"));

    private static void Remove(string address, string folder)
    {
        try
        {
            File.Delete(address);
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // The node removes the folders of spares and of its socket.
        }
    }
}

/// <summary>Uses once what trainers use: settings, each kind of entry, the generator, the data cursor, results.</summary>
internal sealed class RehearsalTrainer : ITrainer
{
    private readonly float[] _weights = new float[64];
    private readonly double[] _moments = new double[64];
    private readonly long[] _step = new long[1];
    private readonly SeededGenerator _generator = new(1);
    private TrainerContext? _context;

    public ValueTask InitializeAsync(TrainerContext context, CancellationToken cancellationToken)
    {
        _context = context;
        _weights[0] = context.ReadSettings(RehearsalJson.Default.RehearsalSettings).Seed;
        return ValueTask.CompletedTask;
    }

    public ValueTask<StepResult> StepAsync(CancellationToken cancellationToken)
    {
        _step[0]++;
        _weights[_step[0]] += (float)_generator.NextDouble();
        _context!.SetResult("step", _step[0]);
        return ValueTask.FromResult(
            new StepResult(
                _step[0],
                3,
                _step[0],
                EndOfEpoch: true,
                Done: _step[0] == 3,
                new Dictionary<string, double> { ["loss"] = _weights[0] }
            )
        );
    }

    public ValueTask SaveAsync(CheckpointWriter writer, CancellationToken cancellationToken)
    {
        writer.WriteTensor("weights", _weights, 8, 8);
        writer.WriteTensor("moments", _moments);
        writer.WriteTensor("step", _step);
        writer.WriteJson("settings", new RehearsalSettings(), RehearsalJson.Default.RehearsalSettings);
        writer.WriteBytes("bytes", [1, 2, 3]);
        _generator.Save(writer, "generator");
        return ValueTask.CompletedTask;
    }

    public ValueTask LoadAsync(CheckpointReader reader, CancellationToken cancellationToken)
    {
        reader.ReadTensor("weights", _weights, 8, 8);
        reader.ReadTensor("moments", _moments);
        reader.ReadTensor("step", _step);
        _ = reader.ReadJson("settings", RehearsalJson.Default.RehearsalSettings);
        _ = reader.ReadBytes("bytes");
        _generator.Load(reader, "generator");
        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyDictionary<string, double>> EvaluateAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyDictionary<string, double>>(new Dictionary<string, double> { ["accuracy"] = 1 });
}

/// <summary>Settings of the rehearsal.</summary>
internal sealed record RehearsalSettings
{
    /// <summary>Any number.</summary>
    public int Seed { get; set; }
}

/// <summary>The way in which trainers read their settings.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RehearsalSettings))]
internal sealed partial class RehearsalJson : JsonSerializerContext;
