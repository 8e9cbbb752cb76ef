using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using ActorTrainer.Testing.Api;

namespace ActorTrainer.Runtime.Tests.Api;

/// <summary>Asks the HTTP API of a node that is a fake.</summary>
public abstract class ApiTests : IAsyncLifetime
{
    private ApiServer _server = null!;

    protected FakeNode Node { get; } = SampleCluster.Create();

    protected HttpClient Http { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ApiServer.StartAsync(Node);
        Http = new HttpClient { BaseAddress = new Uri($"http://{_server.Address}") };
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _server.DisposeAsync();
    }

    protected static async Task<JsonNode> JsonAsync(HttpResponseMessage response) =>
        JsonNode.Parse(await response.Content.ReadAsStringAsync())!;

    protected static async Task ShouldBeProblemAsync(HttpResponseMessage response, HttpStatusCode status, string error, string advice)
    {
        response.StatusCode.ShouldBe(status);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        JsonNode problem = await JsonAsync(response);
        problem["error"]!.GetValue<string>().ShouldBe(error);
        problem["advice"]!.GetValue<string>().ShouldBe(advice);
        problem["status"]!.GetValue<int>().ShouldBe((int)status);
        problem["where"]!.GetValue<string>().ShouldContain("/v1/");
    }

    protected async Task<JsonNode> GetAsync(string path)
    {
        HttpResponseMessage response = await Http.GetAsync(path);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        return await JsonAsync(response);
    }

    protected Task<HttpResponseMessage> PostAsync(string path, string json) =>
        Http.PostAsync(path, new StringContent(json, Encoding.UTF8, "application/json"));
}
