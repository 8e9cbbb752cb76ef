using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ActorTrainer.Testing.Processes;

/// <summary>What nodes need whose address is not loopback: a token, and a certificate for Akka.Remote that only they trust.</summary>
internal sealed class NodeSecrets
{
    private const string Password = "only-for-tests";

    /// <summary>Makes new ones and writes them to a folder.</summary>
    public NodeSecrets(string folder)
    {
        Token = RandomNumberGenerator.GetHexString(32);
        string tokenFile = Path.Combine(folder, "token");
        string certificateFile = Path.Combine(folder, "nodes.pfx");
        string trustedFile = Path.Combine(folder, "trusted.pem");
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=actortrainer tests", key, HashAlgorithmName.SHA256);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        File.WriteAllText(tokenFile, Token);
        File.WriteAllText(trustedFile, certificate.ExportCertificatePem());
        File.WriteAllBytes(certificateFile, certificate.Export(X509ContentType.Pfx, Password));
        const string Tcp = "akka.remote.dot-netty.tcp";
        Settings = [$"{Tcp}.enable-ssl=on", $"{Tcp}.ssl.certificate.path={certificateFile}", $"{Tcp}.ssl.certificate.password={Password}"];
        Environment = new Dictionary<string, string> { ["ACTORTRAINER_TOKEN_FILE"] = tokenFile, ["SSL_CERT_FILE"] = trustedFile };
    }

    /// <summary>The token of nodes and clients.</summary>
    public string Token { get; }

    /// <summary>The <c>key=value</c> settings of the nodes.</summary>
    public IReadOnlyList<string> Settings { get; }

    /// <summary>Variables of the nodes and of the executable: where the token is, and whom Akka.Remote trusts.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }
}
