using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using ActorTrainer.Bench.Common;
using ActorTrainer.Client;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Bench.Scale;

/// <summary>
/// Submits tasks from many clients at once, each with a node of its own to ask and one request at a time. Bodies are ready before the first
/// request and answers are not read, so that what is measured is the nodes.
/// </summary>
internal sealed class SubmitLoad : IDisposable
{
    /// <summary>Clients that submit at the same time.</summary>
    public const int Clients = 50;

    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, UseCookies = false }) { Timeout = Limit };
    private readonly Uri[] _addresses;
    private int _retried;

    public SubmitLoad(IEnumerable<NodeAddress> nodes)
    {
        _addresses = [.. nodes.Select(node => new Uri($"http://{node}/v1/tasks"))];
        _http.DefaultRequestHeaders.Authorization = UserToken.Read() is { } token ? new AuthenticationHeaderValue("Bearer", token) : null;
    }

    /// <summary>From the first request of a task until it was accepted, in milliseconds.</summary>
    public Distribution Latency { get; } = new();

    /// <summary>Requests that were not accepted and sent again.</summary>
    public int Retried => _retried;

    /// <summary>The body of a task that sleeps.</summary>
    public static byte[] Body(string name, int slots) =>
        Encoding.UTF8.GetBytes(
            string.Create(
                CultureInfo.InvariantCulture,
                $$$"""{"name":"{{{name}}}","slots":{{{slots}}},"command":["sleep","100000"],"stall":{"training":"1.00:00:00"}}"""
            )
        );

    /// <summary>Submits all.</summary>
    /// <returns>How long it took.</returns>
    /// <exception cref="InvalidOperationException">A task was refused, or not accepted in two minutes.</exception>
    public async Task<TimeSpan> RunAsync(IReadOnlyList<byte[]> bodies)
    {
        long started = TimeProvider.System.GetTimestamp();
        int next = -1;
        await Task.WhenAll(
            Enumerable
                .Range(0, Clients)
                .Select(async client =>
                {
                    Uri address = _addresses[client % _addresses.Length];
                    for (int i = Interlocked.Increment(ref next); i < bodies.Count; i = Interlocked.Increment(ref next))
                    {
                        double took = await SubmitAsync(address, bodies[i]);
                        lock (Latency)
                        {
                            Latency.Add(took);
                        }
                    }
                })
        );
        return TimeProvider.System.GetElapsedTime(started);
    }

    public void Dispose() => _http.Dispose();

    private async Task<double> SubmitAsync(Uri address, byte[] body)
    {
        long started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            using ByteArrayContent content = new(body);
            content.Headers.ContentType = Json;
            HttpStatusCode? status = null;
            string problem;
            try
            {
                using HttpResponseMessage answer = await _http.PostAsync(address, content);
                status = answer.StatusCode;
                problem = answer.IsSuccessStatusCode ? "" : await answer.Content.ReadAsStringAsync();
            }
            catch (HttpRequestException e)
            {
                problem = e.Message;
            }

            TimeSpan took = TimeProvider.System.GetElapsedTime(started);
            if (problem.Length == 0)
            {
                return took.TotalMilliseconds;
            }

            // The same name and specification are the same task: it can be sent again.
            if (status is not (null or HttpStatusCode.ServiceUnavailable or HttpStatusCode.BadGateway) || took > Limit)
            {
                throw new InvalidOperationException($"{address} refused a task: {problem}");
            }

            Interlocked.Increment(ref _retried);
            await Task.Delay(Again, TimeProvider.System);
        }
    }
}
