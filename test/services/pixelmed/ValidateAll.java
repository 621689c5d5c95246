import com.pixelmed.validate.DicomSRValidator;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * PixelMed's SR validator over many files in one JVM: it compiles its style sheets once, which takes most of the time.
 * Prints for each file a line "FILE path", what the validator said, and a line "END". Whether that means "passed" is
 * the caller's to judge: the validator itself has no verdict.
 */
public final class ValidateAll {
  public static void main(String[] paths) throws Exception {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    DicomSRValidator validator = new DicomSRValidator();
    for (String path : paths) {
      out.println("FILE " + path);
      try {
        out.println(validator.validate(path));
      } catch (Exception failure) {
        out.println("Error: not readable as an SR: " + failure);
      }
      out.println("END");
    }
  }
}
