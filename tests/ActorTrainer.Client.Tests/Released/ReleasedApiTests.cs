using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Api;
using ActorTrainer.Testing.Released;

namespace ActorTrainer.Client.Tests.Released;

/// <summary>What nodes of released versions answer over HTTP, read by this version's client.</summary>
public sealed class ReleasedApiTests
{
    private const string File = "http-api.txt";

    private static readonly ReleasedFiles Files = new();

    private static readonly Dictionary<string, JsonTypeInfo> Answers = new(StringComparer.Ordinal)
    {
        ["/v1/tasks"] = ApiJson.Default.TaskList,
        ["/v1/tasks/digits-a"] = ApiJson.Default.TaskDetails,
        ["/v1/tasks/digits-a/events"] = ApiJson.Default.TaskEventList,
        ["/v1/tasks/digits-a/metrics"] = ApiJson.Default.TaskMetrics,
        ["/v1/tasks/nobody"] = ApiJson.Default.ApiProblem,
        ["/v1/checkpoints"] = ApiJson.Default.CheckpointList,
        ["/v1/cluster"] = ApiJson.Default.ClusterStatus,
        ["/v1/shards"] = ApiJson.Default.ShardSummary,
        ["/v1/shards?task=digits-a"] = ApiJson.Default.ShardDetails,
        ["/v1/version"] = ApiJson.Default.VersionInfo,
    };

    public static TheoryData<string> Versions() => [.. Files.VersionsOf(File)];

    [Fact]
    public async Task Answers_OfThisVersion_AreWrittenWhenAsked()
    {
        if (!Files.Wants(File))
        {
            return;
        }

        FakeNode node = SampleCluster.Create();
        node.Metrics = MetricSeries.Empty.With(
            new MetricPoint(100, 0.25, SampleCluster.Now, new Dictionary<string, double> { ["loss"] = 0.5, ["worst"] = double.NaN })
        );
        await using ApiServer server = await ApiServer.StartAsync(node);
        using HttpClient http = new() { BaseAddress = new Uri($"http://{server.Address}") };
        List<KeyValuePair<string, string>> answers = [];
        foreach (string path in Answers.Keys)
        {
            HttpResponseMessage answer = await http.GetAsync(path);
            answers.Add(KeyValuePair.Create(path, await answer.Content.ReadAsStringAsync()));
        }

        Files.WritePairs(File, answers);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Answers_OfAReleasedNode_AreReadWithAllTheirFields(string version)
    {
        foreach ((string path, string kept) in Files.ReadPairs(version, File))
        {
            object? read = JsonSerializer.Deserialize(kept, Answers[path]);
            KeptJson.ShouldBeIn(kept, JsonSerializer.Serialize(read, Answers[path]), $"{version} {path}");
        }
    }
}
