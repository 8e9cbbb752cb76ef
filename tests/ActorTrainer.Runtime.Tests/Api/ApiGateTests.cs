using System.Net;
using System.Text.Json.Nodes;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Testing.Api;

namespace ActorTrainer.Runtime.Tests.Api;

public sealed class ApiGateTests : IAsyncLifetime
{
    private readonly FakeNode _node = SampleCluster.Create();
    private ApiServer _server = null!;
    private HttpClient _http = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ApiServer.StartAsync(_node);
        _http = new HttpClient { BaseAddress = new Uri($"http://{_server.Address}") };
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("Origin", "https://evil.example", "requests of web pages of https://evil.example are not answered")]
    [InlineData("Host", "evil.example:7400", "this node is not called 'evil.example'")]
    public async Task Gate_WebPage_IsRefused(string header, string value, string error)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/tasks")
        {
            Content = new StringContent("""{"name":"x","command":["rm"]}"""),
        };
        request.Headers.TryAddWithoutValidation(header, value);

        HttpResponseMessage response = await _http.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await ProblemAsync(response))["error"]!.GetValue<string>().ShouldBe(error);
        _node.Asked.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(null, "this node wants a token")]
    [InlineData("Bearer wrong", "the token is not this cluster's")]
    public async Task Gate_NoOrWrongToken_Is401(string? authorization, string error)
    {
        await using ApiServer guarded = await ApiServer.StartAsync(_node, new ApiOptions { Token = "secret" });
        using HttpRequestMessage request = new(HttpMethod.Get, $"http://{guarded.Address}/v1/version");
        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }

        HttpResponseMessage response = await _http.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        JsonNode problem = await ProblemAsync(response);
        problem["error"]!.GetValue<string>().ShouldBe(error);
        problem["advice"]!.GetValue<string>().ShouldBe("give the cluster's token with --token-file FILE");
    }

    [Fact]
    public async Task Gate_RightToken_IsAnswered()
    {
        await using ApiServer guarded = await ApiServer.StartAsync(_node, new ApiOptions { Token = "secret" });
        using HttpRequestMessage request = new(HttpMethod.Get, $"http://{guarded.Address}/v1/version");
        request.Headers.Add("Authorization", "Bearer secret");

        (await _http.SendAsync(request)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static async Task<JsonNode> ProblemAsync(HttpResponseMessage response)
    {
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
    }
}
