using System.Text;
using System.Text.Json;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Training.Protocol;
using ActorTrainer.Training.Worker;

namespace ActorTrainer.Training.Tests;

/// <summary>The worker's short-cut past the serializer has to speak exactly the protocol that the node's side defines.</summary>
public sealed class WorkerCodecTests
{
    private static readonly Dictionary<string, double> Metrics = new()
    {
        ["loss"] = 0.1,
        ["odd \"name\" ü"] = double.NaN,
        ["high"] = double.PositiveInfinity,
        ["low"] = double.NegativeInfinity,
        ["tiny"] = 1e-300,
    };

    private static readonly StagedFile[] Files = [new("state.safetensors", [1L << 40, 8, 0, 64]), new("a/b \"c\".json", [])];

    public static TheoryData<WorkerMessage> FromWorker =>
        new()
        {
            new HelloMessage(1, "task/1-2", 77),
            new HelloMessage(1, "spare-1", 77) { Spare = true },
            new HelloMessage(1, "task/1-2", 77) { Memory = true },
            new HelloMessage(1, "task/1-2", 77) { Paced = true },
            new ReadyMessage(),
            new PhaseMessage(WorkerPhase.Starting),
            new PhaseMessage(WorkerPhase.Initializing),
            new PhaseMessage(WorkerPhase.Restoring),
            new PhaseMessage(WorkerPhase.Training),
            new PhaseMessage(WorkerPhase.Evaluating),
            new PhaseMessage(WorkerPhase.Saving),
            new ProgressMessage(5, 10, 0.5, Metrics),
            new ProgressMessage(5, null, double.NaN, new Dictionary<string, double>()),
            new StagedMessage("s1-5", 5, 0.5, "epoch", Metrics),
            new StagedMessage("s1-5", 5, 0.5, "epoch", Metrics) { Area = 0, Files = Files },
            new StagedMessage("s1-5", 5, 0.5, "adaptive", Metrics) { Stall = 0.0125, Drag = 0.5 },
            new StageFailedMessage("request", "no space: \"/x\"\n"),
            new DoneMessage(10, 10, 1, Metrics, new Dictionary<string, string> { ["sha"] = "ab", ["text"] = "line\nline" }),
            new ErrorMessage("InvalidOperationException: äöü 😀"),
            new StoppedMessage(),
        };

    public static TheoryData<WorkerMessage> FromNode =>
        new()
        {
            new InitMessage(
                "task/1-2",
                "A.B",
                "/x/a.dll",
                JsonDocument.Parse("""{"seed":1,"list":[1,2]}""").RootElement,
                "/run",
                "/st",
                "/re"
            ),
            new InitMessage("task/1-2", "A.B", null, null, "/run", "/st", "/re"),
            new InitMessage("task/1-2", "A.B", null, null, "/run", "/st", "/re")
            {
                Environment = new Dictionary<string, string?>
                {
                    ["A"] = "1",
                    ["B"] = null,
                    ["C"] = "",
                },
                WorkingDirectory = "/work",
            },
            new InitMessage("task/1-2", "A.B", null, null, "/run", "/st", "/re")
            {
                Memory = new StagingMemory(["/proc/7/fd/8", "/proc/7/fd/9"], 1L << 40, [1]),
            },
            new BeginMessage(true, new CheckpointSpec(), null),
            new BeginMessage(
                false,
                new CheckpointSpec
                {
                    Strategy = CheckpointStrategy.Interval,
                    EpochInterval = 3,
                    Interval = TimeSpan.FromMilliseconds(1500),
                    BestMetric = "loss",
                    BestIsLargest = true,
                    KeepLast = 2,
                },
                0.25
            ),
            new BeginMessage(
                false,
                new CheckpointSpec { Strategy = CheckpointStrategy.Event, Interval = TimeSpan.FromDays(2) },
                double.NegativeInfinity
            ),
            new BeginMessage(false, new CheckpointSpec { Strategy = CheckpointStrategy.Epoch }, double.NaN),
            new CheckpointNowMessage("drain"),
            new BeginMessage(false, new CheckpointSpec { Strategy = CheckpointStrategy.Adaptive }, null)
            {
                Pace = TimeSpan.FromSeconds(58.788),
            },
            new PaceMessage(TimeSpan.FromSeconds(2.5)),
            new BeginMessage(true, new CheckpointSpec(), null) { Memory = new MemoryState("/proc/7/fd/8", Files) },
            new ReleasedMessage("s1-5"),
            new ReleasedMessage("s1-5") { Area = 0 },
            new StopMessage(),
        };

    [Theory]
    [MemberData(nameof(FromWorker))]
    public void Encode_EveryMessage_IsReadByTheNodeAsItWas(WorkerMessage message)
    {
        ReadOnlyMemory<byte> line = WorkerCodec.Encode(message);

        line.Span[^1].ShouldBe((byte)'\n');
        line.Span[..^1].Contains((byte)'\n').ShouldBeFalse();
        WorkerMessage.TryParse(line.Span[..^1], out WorkerMessage? read).ShouldBeTrue();
        Text(read!).ShouldBe(Text(message));
    }

    [Theory]
    [MemberData(nameof(FromNode))]
    public void TryDecode_EveryMessage_IsWhatTheNodeSent(WorkerMessage message)
    {
        byte[] line = message.ToLine();

        WorkerCodec.TryDecode(line.AsMemory(0, line.Length - 1), out WorkerMessage? read).ShouldBeTrue();
        Text(read!).ShouldBe(Text(message));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"type":"from-the-future"}""")]
    [InlineData("""{"type":"begin","restore":"yes"}""")]
    [InlineData("""{"type":"begin","restore":true,"policy":{"strategy":"never"}}""")]
    [InlineData("""{"type":"released"}""")]
    public void TryDecode_NoMessage_GivesFalse(string line) => WorkerCodec.TryDecode(Encoding.UTF8.GetBytes(line), out _).ShouldBeFalse();

    [Fact]
    public void TryDecode_FieldsMissing_TakesDefaults()
    {
        WorkerCodec.TryDecode("""{"restore":true,"type":"begin"}"""u8.ToArray(), out WorkerMessage? read).ShouldBeTrue();

        read.ShouldBeOfType<BeginMessage>().Policy.ShouldBe(new CheckpointSpec());
    }

    private static string Text(WorkerMessage message) => Encoding.UTF8.GetString(message.ToLine());
}
