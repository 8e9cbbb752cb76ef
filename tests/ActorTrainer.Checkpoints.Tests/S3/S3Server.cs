using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Checkpoints.Tests.S3;

/// <summary>
/// A real S3-compatible server (s3rver) on loopback with a folder of its own, below which an object is a file. Its program is what the
/// environment variable <c>ACTORTRAINER_S3RVER</c> names, else what <c>./build.sh test</c> has put below <c>artifacts/</c>. Disposing of
/// it ends it and removes the folder.
/// </summary>
public sealed partial class S3Server : IAsyncLifetime
{
    private const string Variable = "ACTORTRAINER_S3RVER";

    private readonly TemporaryFolder _folder = new();
    private Process? _process;
    private Task _output = Task.CompletedTask;
    private Task _errors = Task.CompletedTask;
    private int _buckets;

    /// <summary>Where it listens.</summary>
    public int Port { get; private set; }

    private static string Key => "S3RVER";

    private string Root => _folder["buckets"];

    /// <inheritdoc />
    public async ValueTask InitializeAsync()
    {
        string credentials = _folder["credentials"];
        await File.WriteAllTextAsync(credentials, $"[default]\naws_access_key_id = {Key}\naws_secret_access_key = {Key}\n");

        // Its continuation tokens are made with a cipher that newer OpenSSL only has on demand.
        ProcessStartInfo start = new("node", ["--openssl-legacy-provider", Program(), "-d", Root, "-a", "127.0.0.1", "-p", "0"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        _errors = _process.StandardError.BaseStream.CopyToAsync(Stream.Null);
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (Listening().Match(line) is { Success: true } match)
            {
                Port = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
                _output = _process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
                return;
            }
        }

        throw new InvalidOperationException("s3rver ended before it listened");
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            await Task.WhenAll(_output, _errors);
            _process.Dispose();
        }

        _folder.Dispose();
    }

    /// <summary>Makes an empty bucket; its name.</summary>
    public string NewBucket()
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"bucket-{Interlocked.Increment(ref _buckets)}");
        Directory.CreateDirectory(Path.Combine(Root, name));
        return name;
    }

    /// <summary>A store's configuration.</summary>
    /// <param name="bucket">Its bucket.</param>
    /// <param name="port">Where to ask; null: this server.</param>
    public CheckpointStoreModel Model(string bucket, int? port = null) =>
        new()
        {
            Store = CheckpointStoreKind.S3,
            ChunkSizeBytes = 4096,
            S3 = new S3StoreModel
            {
                Bucket = bucket,
                Prefix = "team/store",
                Endpoint = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port ?? Port}")),
                PathStyle = true,
                CredentialsFile = _folder["credentials"],
                RequestTimeout = TimeSpan.FromSeconds(2),
                RetryFor = TimeSpan.FromSeconds(4),
            },
        };

    /// <summary>Changes an object's bytes behind the store's back; null removes it.</summary>
    public void Damage(string bucket, TaskId task, string file, Func<byte[], byte[]?> change) => Damage(bucket, $"{task}/{file}", change);

    /// <summary>As above, by its key below the store's prefix.</summary>
    public void Damage(string bucket, string key, Func<byte[], byte[]?> change)
    {
        string path = Path.Combine(Root, bucket, "team", "store", key + "._S3rver_object");
        if (change(File.ReadAllBytes(path)) is { } bytes)
        {
            File.WriteAllBytes(path, bytes);
        }
        else
        {
            File.Delete(path);
        }
    }

    /// <summary>Takes a bucket away, or brings it back.</summary>
    public void Rename(string bucket, string name) => Directory.Move(Path.Combine(Root, bucket), Path.Combine(Root, name));

    /// <summary>Whether a bucket holds no object.</summary>
    public bool IsEmpty(string bucket) =>
        !Directory.EnumerateFiles(Path.Combine(Root, bucket), "*._S3rver_object", SearchOption.AllDirectories).Any();

    /// <summary>Uploads in parts that were begun and not ended.</summary>
    public int OpenUploads(string bucket)
    {
        string uploads = Path.Combine(Root, bucket, "._S3rver_uploads");
        return Directory.Exists(uploads) ? Directory.GetDirectories(uploads).Length : 0;
    }

    private static string Program()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
        {
            return named;
        }

        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string program = Path.Combine(folder.FullName, "artifacts", "s3rver", "node_modules", "s3rver", "bin", "s3rver.js");
            if (File.Exists(program))
            {
                return program;
            }
        }

        throw new InvalidOperationException(
            $"s3rver is not installed: './build.sh test' brings it, or set {Variable} to its bin/s3rver.js; it needs node."
        );
    }

    [GeneratedRegex(@"listening on .*:(\d+)")]
    private static partial Regex Listening();
}

/// <summary>Tests that share one server.</summary>
[CollectionDefinition(Name)]
public sealed class S3Tests : ICollectionFixture<S3Server>
{
    /// <summary>The collection.</summary>
    public const string Name = "s3";
}
